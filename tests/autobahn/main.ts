/**
 * Runs the Autobahn test suite for WebSockets against both engines:
 *
 * ```sh
 * deno task autobahn                  # everything: about ten minutes
 * deno task autobahn --quick          # without limits and compression
 * deno task autobahn --engine=native  # one engine
 * deno task autobahn --cases=7.*,6.1.*
 * ```
 *
 * It is written in Python 2.7, which must be there; the suite itself is
 * installed in the user's cache directory. Its reports are written to
 * `tests/autobahn/results/`. The exit code is 1 if an engine fails in a case
 * for which no reason is known; those about limits are only shown.
 *
 * @module
 */
import { type EngineName, HostileProgram } from "../hostile/program.ts";
import { reasonFor } from "./expected_failures.ts";
import { installSuite, type Suite } from "./install.ts";
import {
  groupOf,
  groups,
  type GroupSummary,
  LIMITS,
  ranges,
  type Results,
  summarize,
} from "./report.ts";

const folder = `${import.meta.dirname}/results`;

interface Settings {
  readonly engines: readonly EngineName[];
  readonly cases: readonly string[];
  readonly excluded: readonly string[];
}

function readSettings(args: readonly string[]): Settings {
  const valueOf = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1];
  const engine = valueOf("engine") as EngineName | undefined;
  return {
    engines: engine ? [engine] : ["native", "deno"],
    cases: valueOf("cases")?.split(",") ?? ["*"],
    excluded: args.includes("--quick") ? ["9.*", "12.*", "13.*"] : [],
  };
}

/** Runs the suite against a server of ours. */
async function test(
  suite: Suite,
  engine: EngineName,
  { cases, excluded }: Settings,
): Promise<Results> {
  const path = new URL("echo_server.ts", import.meta.url);
  await using server = await HostileProgram.start(path, engine);
  const output = `${folder}/${engine}`;
  const plan = `${folder}/${engine}.json`;
  await Deno.mkdir(output, { recursive: true });
  await Deno.writeTextFile(
    plan,
    JSON.stringify({
      outdir: output,
      servers: [{ agent: engine, url: `ws://127.0.0.1:${server.port}` }],
      cases,
      "exclude-cases": excluded,
      "exclude-agent-cases": {},
    }),
  );
  const { code } = await new Deno.Command(suite.python, {
    args: [suite.script, "-m", "fuzzingclient", "-s", plan],
    env: suite.env,
    // It names every case when it begins.
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (code !== 0) throw new Error(`The test suite ended with code ${code}`);
  const index = JSON.parse(await Deno.readTextFile(`${output}/index.json`));
  return index[engine];
}

/** The summary of both engines as a table in Markdown. */
function table(summaries: ReadonlyMap<EngineName, GroupSummary[]>): string {
  const engines = [...summaries.keys()];
  const names = new Set(
    [...summaries.values()].flat().map(({ group }) => group),
  );
  const cell = (engine: EngineName, wanted: string) => {
    const found = summaries.get(engine)!.find(({ group }) => group === wanted);
    return found ? `${found.cases - found.failed.length}` : "";
  };
  const casesOf = (wanted: string) =>
    [...summaries.values()].flat().find(({ group }) => group === wanted)!.cases;
  return [
    `| group | cases | ${engines.join(" | ")} |`,
    `| --- | --- | ${engines.map(() => "---").join(" | ")} |`,
    ...[...names].map((group) =>
      `| ${group}: ${groups[group] ?? ""} | ${casesOf(group)} | ${
        engines.map((engine) => cell(engine, group)).join(" | ")
      } |`
    ),
  ].join("\n");
}

/** Prints why cases failed; whether all of that is known. */
function explain(engine: EngineName, summary: readonly GroupSummary[]) {
  const failed = summary.flatMap(({ failed }) => failed);
  const byReason = Map.groupBy(
    failed,
    (name) => reasonFor(engine, name) ?? "for no known reason",
  );
  for (const [reason, names] of byReason) {
    console.log(`${engine} fails in ${ranges(names)}: ${reason}`);
  }
  return failed.every((name) =>
    reasonFor(engine, name) !== undefined || groupOf(name) === LIMITS
  );
}

const settings = readSettings(Deno.args);
const suite = await installSuite();
const summaries: Map<EngineName, GroupSummary[]> = new Map();
for (const engine of settings.engines) {
  console.log(`Testing the ${engine} engine`);
  const results = await test(suite, engine, settings);
  summaries.set(engine, summarize(results));
}
console.log(`\nPassed:\n\n${table(summaries)}\n`);
const areKnown = [...summaries].map(([engine, summary]) =>
  explain(engine, summary)
);
console.log(`Reports: ${folder}`);
if (!areKnown.every(Boolean)) Deno.exit(1);
