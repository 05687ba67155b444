/**
 * Runs h2spec, which tests servers of HTTP/2, against the native engine, with
 * and without TLS:
 *
 * ```sh
 * deno task h2spec                # everything: a few seconds
 * deno task h2spec --engine=deno  # the other engine, whose HTTP/2 is Deno's
 * deno task h2spec --cases=http2/6.9,hpack
 * ```
 *
 * It is written in Go, which must be there; the suite itself is installed in
 * the user's cache directory. The exit code is 1 if an engine fails in a case
 * for which no reason is known.
 *
 * @module
 */
import { type EngineName, HostileProgram } from "../hostile/program.ts";
import { reasonFor } from "./expected_failures.ts";
import { installSuite } from "./install.ts";
import {
  type CaseResult,
  groupOf,
  groups,
  hasPassed,
  readReport,
} from "./report.ts";

/** Runs the suite against a server of ours. */
async function test(
  program: string,
  engine: EngineName,
  hasTls: boolean,
  cases: readonly string[],
): Promise<CaseResult[]> {
  const url = new URL("server.ts", import.meta.url);
  const env: Record<string, string> = hasTls ? { WITH_TLS: "1" } : {};
  await using server = await HostileProgram.start(url, engine, env);
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await new Deno.Command(program, {
      args: [
        ...["--strict", "--port", `${server.port}`],
        ...(hasTls ? ["--tls", "--insecure"] : []),
        ...["--junit-report", report, ...cases],
      ],
      // The report has it all.
      stdout: "null",
      stderr: "inherit",
    }).output();
    return readReport(await Deno.readTextFile(report));
  } finally {
    await Deno.remove(report);
  }
}

/** How many cases of each group have passed, as a table in Markdown. */
function table(results: ReadonlyMap<string, readonly CaseResult[]>): string {
  const [first] = results.values();
  const names = [...new Set(first!.map(({ name }) => groupOf(name)))];
  const row = (cells: readonly unknown[]) => `| ${cells.join(" | ")} |`;
  const counts = (isIn: (name: string) => boolean) => {
    const all = [...results.values()].map((cases) =>
      cases.filter(({ name }) => isIn(name))
    );
    return [all[0]!.length, ...all.map((it) => it.filter(hasPassed).length)];
  };
  return [
    row(["group", "cases", ...results.keys()]),
    row(Array(results.size + 2).fill("---")),
    ...names.map((group) =>
      row([
        `${group}: ${groups[group] ?? ""}`,
        ...counts((name) => groupOf(name) === group),
      ])
    ),
    row(["all", ...counts(() => true)]),
  ].join("\n");
}

/** Prints why cases failed; whether all of that is known. */
function explain(target: string, results: readonly CaseResult[]): boolean {
  let areKnown = true;
  for (const result of results) {
    if (hasPassed(result)) continue;
    const reason = reasonFor(target, result.name);
    areKnown &&= reason !== undefined;
    console.log(
      `${target} fails in ${result.name} ("${result.title}"): ` +
        (reason ?? `for no known reason:\n${result.failure ?? "skipped"}`),
    );
  }
  return areKnown;
}

const valueOf = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1];
const engine = valueOf("engine") as EngineName | undefined ?? "native";
const cases = valueOf("cases")?.split(",") ?? [];
const program = await installSuite();
const results: Map<string, readonly CaseResult[]> = new Map();
for (const hasTls of [false, true]) {
  const target = hasTls ? `${engine}, TLS` : engine;
  console.log(`Testing ${target}`);
  results.set(target, await test(program, engine, hasTls, cases));
}
console.log(`\nPassed:\n\n${table(results)}\n`);
const areKnown = [...results].map(([target, all]) => explain(target, all));
const areRun = [...results.values()].every((all) => all.length > 0);
if (!areRun) console.log("No case was run");
if (!areRun || !areKnown.every(Boolean)) Deno.exit(1);
