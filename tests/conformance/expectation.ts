/**
 * Compares what came back with what a case expects.
 *
 * @module
 */
import type {
  EngineName,
  ExpectedHeader,
  ExpectedResponse,
  ReceivedResponse,
} from "./case.ts";
import { ExchangeError, quote } from "./client.ts";
import { valuesOf } from "./headers.ts";

/** Throws an `ExchangeError` that lists every fact that does not hold. */
export function checkResponse(
  received: ReceivedResponse,
  expected: ExpectedResponse,
  engine: EngineName,
): void {
  const { on, ...ideal } = expected;
  const override = on?.[engine];
  const facts = {
    ...ideal,
    ...override,
    headers: { ...ideal.headers, ...override?.headers },
  };
  const faults: string[] = [];
  if (![facts.status].flat().includes(received.status)) {
    faults.push(`status ${[facts.status].flat().join(" or ")}`);
  }
  for (const [name, value] of Object.entries(facts.headers)) {
    const lines = valuesOf(received.headers, name);
    if (!headerHolds(lines, value)) {
      faults.push(`${name}: ${showHeader(value)}`);
    }
  }
  if (facts.body !== undefined && !bodyHolds(received.body, facts.body)) {
    faults.push(`body ${showBody(facts.body)}`);
  }
  if (received.truncated !== (facts.truncated ?? false)) {
    faults.push(facts.truncated ? "a truncated body" : "a complete body");
  }
  if (facts.framing !== undefined && facts.framing !== received.framing) {
    faults.push(`framing by ${facts.framing}`);
  }
  if (faults.length > 0) {
    throw new ExchangeError(
      `Expected ${faults.join("; ")}\ngot ${showResponse(received)}`,
    );
  }
}

/** Whether all logged facts, and only those, are the expected ones. */
export function logHolds(
  log: readonly string[],
  expected: readonly (string | RegExp)[],
): boolean {
  return log.length === expected.length &&
    expected.every((fact, index) =>
      typeof fact === "string" ? fact === log[index] : fact.test(log[index]!)
    );
}

function headerHolds(lines: string[], expected: ExpectedHeader): boolean {
  if (expected === null) return lines.length === 0;
  if (expected instanceof RegExp) {
    return lines.length > 0 && expected.test(lines.join(", "));
  }
  const wanted = [expected].flat();
  return lines.length === wanted.length &&
    wanted.every((value, index) => value === lines[index]);
}

function bodyHolds(
  body: Uint8Array,
  expected: string | Uint8Array | RegExp,
): boolean {
  if (expected instanceof RegExp) {
    return expected.test(new TextDecoder().decode(body));
  }
  const wanted = typeof expected === "string"
    ? new TextEncoder().encode(expected)
    : expected;
  return wanted.length === body.length &&
    wanted.every((byte, index) => byte === body[index]);
}

function showHeader(value: ExpectedHeader): string {
  if (value === null) return "absent";
  return value instanceof RegExp ? String(value) : JSON.stringify(value);
}

function showBody(body: string | Uint8Array | RegExp): string {
  if (typeof body === "string") return quote(body);
  return body instanceof RegExp ? String(body) : `of ${body.length} bytes`;
}

function showResponse(response: ReceivedResponse): string {
  const head = [
    `HTTP/${response.version} ${response.status} ${response.reason}`,
    ...response.headers.map(([name, value]) => `${name}: ${value}`),
  ].join("\n  ");
  const body = quote(new TextDecoder().decode(response.body));
  const cut = response.truncated ? " (truncated)" : "";
  return `${head}\n  ${body}${cut}`;
}
