/**
 * Looks at the answer of a server before it is measured: a wrong answer may
 * well be a fast one.
 *
 * @module
 */

import { isSame } from "../workloads/content.ts";
import type { HttpExpectation, HttpRequest } from "../workloads/workload.ts";

const trusted = await Deno.readTextFile(
  new URL("../../tests/fixtures/tls/cert.pem", import.meta.url),
);

/**
 * Sends a request and compares the answer.
 *
 * @param origin Scheme and authority.
 * @throws {Error} If the answer is wrong.
 */
export async function checkAnswer(
  origin: string,
  request: HttpRequest,
  expected: HttpExpectation,
): Promise<void> {
  using client = Deno.createHttpClient({ caCerts: [trusted] });
  const response = await fetch(origin + request.path, {
    client,
    method: request.method,
    headers: { ...request.headers },
    body: request.content || null,
  });
  const content = await response.bytes();
  if (response.status !== expected.status) {
    throw new Error(
      `wrong answer: status ${response.status}, not ${expected.status}`,
    );
  }
  for (const [name, value] of Object.entries(expected.headers)) {
    if (response.headers.get(name) !== value) {
      throw new Error(
        `wrong answer: ${name} is "${response.headers.get(name)}"`,
      );
    }
  }
  if (!isSame(content, expected.content())) {
    throw new Error(`wrong answer: ${content.length} bytes of other content`);
  }
}
