/**
 * Runs the TCP cases against real Bun and reports where it differs.
 *
 *     deno run -A tests/tcp/oracle.ts [filter]
 *
 * Bun is found through the environment variable `BUN` (a path), else as `bun`
 * on the PATH. Ends with exit code 1 when a difference has no reason in its
 * case, or a case with a reason passes.
 *
 * @module
 */
import { equal } from "../std/assert/equal.ts";
import type { TcpCase } from "./case.ts";
import { areas } from "./cases/mod.ts";
import { MARK } from "./oracle_child.ts";

const CHILD = new URL("./oracle_child.ts", import.meta.url).pathname;

/** What became of a case; `detail` is for people. */
interface Verdict {
  mark: "pass" | "differs" | "DIFFERS" | "STALE";
  detail: string;
}

async function runInBun(name: string): Promise<unknown> {
  const directory = await Deno.makeTempDir();
  try {
    const { stdout, stderr } = await new Deno.Command(
      Deno.env.get("BUN") || "bun",
      { args: [CHILD, name, directory], signal: AbortSignal.timeout(30_000) },
    ).output();
    const line = new TextDecoder().decode(stdout).split("\n")
      .find((line) => line.startsWith(MARK));
    if (line === undefined) return new TextDecoder().decode(stderr);
    const report = JSON.parse(line.slice(MARK.length));
    return report.facts ?? report.error;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function judge(name: string, testCase: TcpCase): Promise<Verdict> {
  const facts = await runInBun(name);
  if (equal(facts, testCase.expect)) {
    return testCase.bun === undefined
      ? { mark: "pass", detail: "" }
      : { mark: "STALE", detail: `passes, but is marked: ${testCase.bun}` };
  }
  return testCase.bun === undefined
    ? { mark: "DIFFERS", detail: JSON.stringify(facts) }
    : { mark: "differs", detail: testCase.bun };
}

async function main(filter: string): Promise<number> {
  const totals = { pass: 0, differs: 0, DIFFERS: 0, STALE: 0 };
  for (const [area, cases] of Object.entries(areas)) {
    for (const testCase of cases) {
      const name = `${area}/${testCase.name}`;
      if (!name.includes(filter)) continue;
      const { mark, detail } = await judge(name, testCase);
      totals[mark] += 1;
      console.log(`${mark.padEnd(8)} ${name}`);
      if (detail) console.log(`         ${detail}`);
    }
  }
  console.log(
    `\n${totals.pass} pass, ${totals.differs} differ as noted, ` +
      `${totals.DIFFERS} differ unnoted, ${totals.STALE} stale notes`,
  );
  return totals.DIFFERS + totals.STALE > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args[0] ?? ""));
