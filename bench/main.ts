/**
 * Compares HTTP, WebSocket and TCP servers on this machine: ours on both
 * engines, Deno by hand, Bun, Node, and an epoll loop in C as the floor.
 *
 * ```sh
 * deno run -A bench/main.ts            # everything, more than an hour
 * deno run -A bench/main.ts --quick    # a headline, two minutes
 * deno run -A bench/main.ts --help
 * ```
 *
 * Every number comes from a fresh process, warmed up, whose answer was checked
 * first. Tables show medians of all rounds; every single measurement is written
 * to `bench/results/`, beside a page with plots.
 *
 * @module
 */

import { runAll, stepsFor } from "./method/rounds.ts";
import { type Setup, writeFiles } from "./method/setup.ts";
import { findLoadTools, type LoadTools } from "./load/tools.ts";
import { writePage } from "./page/page.ts";
import { analyze, analyzeCase } from "./report/analysis.ts";
import { subjectFacts, workloadFacts } from "./report/facts.ts";
import { headline } from "./report/markdown.ts";
import { notesFor } from "./report/notes.ts";
import { Progress } from "./report/progress.ts";
import { repeatCommand } from "./report/repeat_command.ts";
import {
  readResults,
  type Results,
  resultsPath,
  writeResults,
} from "./report/results.ts";
import { caseTable, legend } from "./report/table.ts";
import { readSettings, type Settings, usage } from "./settings.ts";
import { findSubjects, type SubjectSearch } from "./subjects/find_subjects.ts";
import { readEnvironment } from "./tools/environment.ts";
import { TemporaryFolder } from "./tools/temporary_folder.ts";

async function main(): Promise<void> {
  const settings = readSettings(Deno.args);
  if (settings.help) return console.log(usage());
  if (settings.from !== undefined) return await showAgain(settings);
  if (Deno.build.os !== "linux") {
    throw new Error("Cannot measure CPU time: the benchmarks need Linux");
  }
  using folder = new TemporaryFolder();
  await measureAll(settings, folder.path);
}

async function showAgain(settings: Settings): Promise<void> {
  const results = await readResults(settings.from!);
  if (!settings.markdown) {
    for (const analyzed of analyze(results)) {
      console.log(`${caseTable(analyzed)}\n`);
    }
  }
  await conclude(results, settings, settings.from!.replace(/\.json$/, ""));
}

async function measureAll(settings: Settings, folder: string): Promise<void> {
  const tools = await findLoadTools(settings.load, folder);
  const search = await findSubjects(settings.subjects, folder);
  const environment = await readEnvironment(tools);
  if (!settings.markdown) announce(environment, search);
  const created = new Date().toISOString();
  const results: Results = {
    format: 1,
    created,
    command: repeatCommand(Deno.args),
    environment,
    rounds: settings.rounds,
    seconds: settings.durations.load,
    workloads: workloadFacts(settings.cases),
    subjects: search.found.map((subject) => subjectFacts(subject)),
    ...await measureCases(settings, { tools, search, folder }),
  };
  const path = await resultsPath(created);
  await writeResults(`${path}.json`, results);
  console.error(`All samples: ${path}.json`);
  await conclude(results, settings, path);
}

interface Found {
  readonly tools: LoadTools;
  readonly search: SubjectSearch;
  readonly folder: string;
}

async function measureCases(
  { cases, rounds, durations, markdown }: Settings,
  { tools, search, folder }: Found,
): Promise<Pick<Results, "samples" | "skips">> {
  const setup: Setup = { tools, folder, durations };
  const subjects = search.found;
  const facts = subjects.map((subject) => subjectFacts(subject));
  const steps = cases.flatMap((it) => stepsFor(it, subjects, rounds));
  const progress = new Progress(steps.length);
  await writeFiles(cases.map(({ workload }) => workload), folder);
  const { samples, skips } = await runAll(cases, subjects, rounds, setup, {
    begin: ({ subject, workload, connections, round }) =>
      progress.begin(
        `${workload.name} @ ${connections}, ${subject.id}, round ${round + 1}`,
      ),
    end: () => progress.end(),
    endCase(current, samples, skips) {
      progress.clear();
      if (markdown) return;
      const [workload] = workloadFacts([current]);
      console.log(
        caseTable(analyzeCase(workload!, current.connections, samples, facts)),
      );
      for (const { subject, reason } of skips) {
        console.log(`  left out ${subject}: ${reason}`);
      }
      console.log("");
    },
  });
  const missing = search.missing.map(({ id, reason }) => ({
    workload: "*",
    subject: id,
    reason,
  }));
  return { samples, skips: [...missing, ...skips] };
}

function announce(
  environment: Readonly<Record<string, string>>,
  { found, missing }: SubjectSearch,
): void {
  for (const [name, value] of Object.entries(environment)) {
    console.log(`${name.padEnd(14)}${value}`);
  }
  for (const { id, version } of found) {
    console.log(`${id.padEnd(14)}${version}`);
  }
  for (const { id, reason } of missing) {
    console.log(`${id.padEnd(14)}left out: ${reason}`);
  }
  console.log(`\n${legend}\n`);
}

/** Prints the notes or the headline, and makes the page. */
async function conclude(
  results: Results,
  { markdown, page }: Settings,
  path: string,
): Promise<void> {
  const cases = analyze(results);
  if (markdown) {
    console.log(headline(results, cases));
  } else {
    for (const { title, notes } of notesFor(results, cases)) {
      console.log([title, ...notes.map((note) => `  - ${note}`)].join("\n"));
    }
  }
  if (!page) return;
  try {
    await writePage(`${path}.html`, results);
    console.error(`Page with plots: ${path}.html`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    console.error(`No page with plots: ${reason}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
