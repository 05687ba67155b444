/**
 * Compares the working tree with an earlier commit, for whoever changes code:
 * a short set of workloads, both versions side by side in turns. It prints
 * ratios and never fails: what they mean is for a person to decide.
 *
 * ```sh
 * deno run -A bench/check.ts [--against COMMIT] [--only NAME,...]
 *   [--subjects native,deno-engine] [--rounds N] [--seconds N]
 * ```
 *
 * @module
 */

import { findLoadTools } from "./load/tools.ts";
import { measure, type Step } from "./method/measure.ts";
import { type Setup, writeFiles } from "./method/setup.ts";
import { type Pair, pairsHead, pairsRow } from "./report/pairs.ts";
import { Progress } from "./report/progress.ts";
import { type Case, readSettings, type Settings } from "./settings.ts";
import { ourSubject } from "./subjects/deno_subjects.ts";
import type { Subject } from "./subjects/subject.ts";
import { TemporaryFolder } from "./tools/temporary_folder.ts";
import { Worktree } from "./tools/worktree.ts";

const workloads = "hello,static,json,file-64k,ws-echo,tcp-echo";
const defaults: readonly string[] = [
  ...["--only", workloads, "--subjects", "native,deno-engine"],
  ...["--connections", "64", "--seconds", "0.5", "--warm-up", "0.3"],
];

/** Both versions on one engine. */
interface Versions {
  readonly now: Subject;
  readonly then: Subject;
}

async function main(): Promise<void> {
  const { against, rest } = splitAgainst(Deno.args);
  // What is given later wins.
  const settings = readSettings([...defaults, ...rest]);
  using folder = new TemporaryFolder();
  await using worktree = await Worktree.checkOut(folder.path, against);
  console.log(`now:  the working tree\nthen: ${worktree.title}`);
  const tools = await findLoadTools(settings.load, folder.path);
  const { durations, cases } = settings;
  const setup: Setup = { tools, folder: folder.path, durations };
  await writeFiles(cases.map(({ workload }) => workload), folder.path);
  await compareAll(settings, worktree.folder, setup);
}

function splitAgainst(args: readonly string[]): {
  readonly against: string | undefined;
  readonly rest: readonly string[];
} {
  const index = args.indexOf("--against");
  if (index === -1) return { against: undefined, rest: args };
  return {
    against: args[index + 1],
    rest: [...args.slice(0, index), ...args.slice(index + 2)],
  };
}

async function compareAll(
  { cases, subjects, rounds }: Settings,
  then: string,
  setup: Setup,
): Promise<void> {
  const progress = new Progress(cases.length * subjects.length * rounds * 2);
  console.log(
    "Medians of rounds (lowest-highest); !: all rounds on one side of 1\n\n" +
      pairsHead(),
  );
  for (const id of subjects) {
    if (id !== "native" && id !== "deno-engine") continue;
    const engine = id === "native" ? "native" : "deno";
    const versions: Versions = {
      now: ourSubject(engine),
      then: ourSubject(engine, `file://${then}/mod.ts`),
    };
    for (const current of cases) {
      const name = `${current.workload.name} @ ${current.connections}, ${id}`;
      try {
        const pairs = await comparePairs(
          current,
          versions,
          rounds,
          setup,
          progress,
        );
        progress.clear();
        console.log(pairsRow(name, pairs));
      } catch (error) {
        progress.clear();
        const reason = error instanceof Error ? error.message : error;
        console.log(`${name}: left out: ${reason}`);
      }
    }
  }
}

async function comparePairs(
  { workload, connections }: Case,
  versions: Versions,
  rounds: number,
  setup: Setup,
  progress: Progress,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0
      ? ["now", "then"] as const
      : ["then", "now"] as const;
    const pair: Partial<Record<keyof Pair, Pair["now"]>> = {};
    for (const version of order) {
      const subject = versions[version];
      const step: Step = { subject, workload, connections, round };
      progress.begin(`${workload.name}, ${subject.id}, ${version}`);
      try {
        pair[version] = (await measure(step, setup)).metrics;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${version}: ${reason}`);
      } finally {
        progress.end();
      }
    }
    pairs.push({ now: pair.now!, then: pair.then! });
  }
  return pairs;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
