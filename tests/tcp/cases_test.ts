import { assertEquals } from "@std/assert";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import { areas } from "./cases/mod.ts";
import { type Implementation, runCase } from "./recorder.ts";

const implementation = { listen, connect } as unknown as Implementation;
const folder = new URL("./tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(name, folder));

for (const [area, cases] of Object.entries(areas)) {
  for (const testCase of cases) {
    const reason = testCase.skip?.deno;
    const name = `TCP (deno): ${area}/${testCase.name}` +
      (reason === undefined ? "" : ` [skipped: ${reason}]`);
    Deno.test({ name, ignore: reason !== undefined }, async () => {
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
}
