/**
 * Runs the conformance cases against real Bun and reports where it differs.
 *
 *     deno run -A tests/conformance/oracle.ts [filter]
 *
 * Bun is found through the environment variable `BUN` (a path), else `bun` on
 * the PATH, else `npx`. Ends with exit code 1 when a difference has no reason
 * in its case, or a case with a reason passes.
 *
 * @module
 */
import { TextLineStream } from "./text_lines.ts";
import type { ConformanceCase } from "./case.ts";
import { areas } from "./cases/mod.ts";
import { ExchangeError, withDeadline } from "./client.ts";
import { type Engine, runCase, type RunningServer } from "./exchange.ts";
import { createFixtures } from "./fixtures.ts";
import { type Command, MARK, type Report } from "./oracle_child.ts";

const CHILD = new URL("./oracle_child.ts", import.meta.url).pathname;

/** The version that the cases' notes on Bun were checked with. */
const VERSION = "1.4.5";

/** Finds Bun; the result is a command line to put arguments after. */
async function findBun(): Promise<[string, ...string[]]> {
  const path = Deno.env.get("BUN");
  if (path) return [path];
  try {
    await new Deno.Command("bun", { args: ["--version"] }).output();
    return ["bun"];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return ["npx", "-y", `bun@${VERSION}`];
  }
}

/** A Bun process that runs the servers of cases, one at a time. */
class BunProcess {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ((report: Report) => void)[] = [];
  log: string[] = [];
  exited = false;

  constructor([program, ...args]: [string, ...string[]]) {
    this.#child = new Deno.Command(program, {
      args: [...args, CHILD],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      env: { NODE_ENV: "development" },
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#listen();
  }

  async ask(command: Command): Promise<{ port?: number }> {
    const { promise, resolve } = Promise.withResolvers<Report>();
    this.#answers.push(resolve);
    const line = JSON.stringify(command) + "\n";
    await this.#input.write(new TextEncoder().encode(line));
    const report = await withDeadline(promise, `Bun to ${command.do}`);
    if ("error" in report && report.error !== undefined) {
      throw new ExchangeError(`Bun could not ${command.do}: ${report.error}`);
    }
    return "port" in report ? { port: report.port } : {};
  }

  async end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
  }

  async #listen(): Promise<void> {
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      if (!line.startsWith(`{"mark":"${MARK}"`)) continue;
      const report: Report = JSON.parse(line);
      if ("fact" in report) this.log.push(report.fact);
      else this.#answers.shift()?.(report);
    }
    this.exited = true;
    for (const answer of this.#answers.splice(0)) {
      answer({ mark: MARK, did: "stop", error: "its process ended" });
    }
  }
}

/** The oracle as an engine; replaces its process when a case breaks it. */
class Oracle implements Engine {
  readonly name = "bun";
  readonly #command: [string, ...string[]];
  readonly #fixtures: string;
  #process: BunProcess | undefined;

  constructor(command: [string, ...string[]], fixtures: string) {
    this.#command = command;
    this.#fixtures = fixtures;
  }

  async start(testCase: ConformanceCase): Promise<RunningServer> {
    if (this.#process?.exited) this.#process = undefined;
    const bun = this.#process ??= new BunProcess(this.#command);
    bun.log = [];
    const { port } = await bun.ask({
      do: "start",
      name: nameOf(testCase),
      fixtures: this.#fixtures,
    });
    return {
      port: port!,
      get log() {
        return bun.log;
      },
      run: async (position) => void await bun.ask({ do: "run", position }),
      settle: async () => void await bun.ask({ do: "settle" }),
      stop: async () => {
        try {
          await bun.ask({ do: "stop" });
        } catch {
          await this.restart();
        }
      },
    };
  }

  async restart(): Promise<void> {
    await this.#process?.end();
    this.#process = undefined;
  }
}

const names = new Map<ConformanceCase, string>();
for (const [area, cases] of Object.entries(areas)) {
  for (const testCase of cases) names.set(testCase, `${area}/${testCase.name}`);
}

function nameOf(testCase: ConformanceCase): string {
  return names.get(testCase)!;
}

interface Verdict {
  mark: "pass" | "differs" | "DIFFERS" | "STALE" | "skipped";
  detail: string;
}

async function judge(
  oracle: Oracle,
  testCase: ConformanceCase,
): Promise<Verdict> {
  const skip = testCase.skip?.bun;
  if (skip !== undefined) return { mark: "skipped", detail: skip };
  try {
    await runCase(oracle, testCase);
  } catch (error) {
    await oracle.restart();
    if (testCase.bun !== undefined) {
      return { mark: "differs", detail: testCase.bun };
    }
    const message = error instanceof Error ? error.message : String(error);
    return { mark: "DIFFERS", detail: message.replaceAll("\n", "\n         ") };
  }
  return testCase.bun === undefined
    ? { mark: "pass", detail: "" }
    : { mark: "STALE", detail: `passes, but is marked: ${testCase.bun}` };
}

async function main(filter: string): Promise<number> {
  const fixtures = await createFixtures();
  const oracle = new Oracle(await findBun(), fixtures);
  const totals = { pass: 0, differs: 0, DIFFERS: 0, STALE: 0, skipped: 0 };
  try {
    for (const [testCase, name] of names) {
      if (!name.includes(filter)) continue;
      const { mark, detail } = await judge(oracle, testCase);
      totals[mark] += 1;
      console.log(`${mark.padEnd(8)} ${name}`);
      if (detail) console.log(`         ${detail}`);
    }
  } finally {
    await oracle.restart();
    await Deno.remove(fixtures, { recursive: true });
  }
  console.log(
    `\n${totals.pass} pass, ${totals.differs} differ as noted, ` +
      `${totals.DIFFERS} differ unnoted, ${totals.STALE} stale notes, ` +
      `${totals.skipped} skipped`,
  );
  return totals.DIFFERS + totals.STALE > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args[0] ?? ""));
