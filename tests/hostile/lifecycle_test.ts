import { assert, assertEquals } from "@std/assert";
import { repository, RunningProgram } from "../entry/running_program.ts";
import { type EngineName, testOn, type Usage } from "./program.ts";

/** Runs a program to its end; what it used after some cycles and at the end. */
async function run(name: string, engine: EngineName): Promise<[Usage, Usage]> {
  const path = new URL(`programs/${name}.ts`, import.meta.url).pathname;
  await using program = new RunningProgram({
    args: ["run", "-A", `--config=${repository}deno.json`, path],
    env: { JSTIME_ENGINE: engine },
  });
  const code = await program.exitCode();
  assertEquals(code, 0, program.output);
  const [, usage] = /^usage (.*)$/m.exec(program.output)!;
  return JSON.parse(usage!);
}

/** The platform opens a few of its own, and late; a leak makes a hundred. */
const SLACK = 5;

function assertSame(before: Usage, after: Usage): void {
  assert(
    after.descriptors <= before.descriptors + SLACK,
    `Descriptors: ${before.descriptors}, then ${after.descriptors}`,
  );
  assert(
    after.threads <= before.threads + SLACK,
    `Threads: ${before.threads}, then ${after.threads}`,
  );
  const grown = after.memory - before.memory;
  assert(grown < 32 * 1024 * 1024, `Memory grew by ${grown} bytes`);
}

testOn(
  ["native", "deno"],
  "100 times two servers leave nothing behind",
  async (engine) => {
    assertSame(...await run("cycles", engine));
  },
);

testOn(
  ["native", "deno"],
  "servers of terminated workers leave nothing behind",
  async (engine) => {
    assertSame(...await run("workers", engine));
  },
);
