import { assertEquals } from "@std/assert";
import { areas } from "./cases/mod.ts";
import { subjects, type TcpSubject } from "./engines.ts";
import { type Implementation, runCase } from "./recorder.ts";
import type { TcpCase } from "./case.ts";

const folder = new URL("./tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(name, folder));

for (const subject of subjects) {
  for (const [area, cases] of Object.entries(areas)) {
    for (const testCase of cases) register(subject, area, testCase);
  }
}

function register(subject: TcpSubject, area: string, testCase: TcpCase): void {
  const name = `${area}/${testCase.name}`;
  const reason = testCase.skip?.[subject.name];
  if (reason !== undefined) {
    Deno.test({
      name: `TCP (${subject.name}): ${name} [skipped: ${reason}]`,
      ignore: true,
      fn: () => {},
    });
    return;
  }
  subject.test(name, async () => {
    const implementation = subject as unknown as Implementation;
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/socket`;
      const facts = await runCase(testCase, implementation, pem, path);
      assertEquals(facts, testCase.expect);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
