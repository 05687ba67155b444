/**
 * Compares HTTP servers: ours, `Deno.serve` by hand, and Bun.
 *
 * ```sh
 * deno run -A bench/http.ts [--quick] [--only hello,static] [--load oha|wrk]
 * ```
 *
 * Every number comes from a fresh process, warmed up, whose answer was checked
 * first. The subjects take turns, each round starting with another one; the
 * table shows medians of all rounds, and every single measurement is written
 * to `bench/results/`. Look at CPU per request first: on one machine the load
 * generator takes its share, so requests per second also measure the client.
 * What is not measured: TLS, HTTP/2, slow clients, real networks.
 *
 * @module
 */

import { type BunProgram, bunVersion, findBun } from "./bun_program.ts";
import { connections, findLoadGenerator, type LoadGenerator } from "./load.ts";
import { type Durations, measure, type Sample } from "./measure.ts";
import { rotate } from "./statistics.ts";
import { subjectsFor } from "./subjects.ts";
import { tableHead, tableRows } from "./table.ts";
import { fileContent, type Workload, workloads } from "./workloads.ts";

interface Settings {
  readonly rounds: number;
  readonly durations: Durations;
  readonly workloads: readonly Workload[];
  readonly load: string;
}

const usage = "Usage: deno run -A bench/http.ts [--quick] " +
  "[--only NAME,...] [--load oha|wrk]";

function readSettings(args: readonly string[]): Settings {
  let quick = false;
  let load = "oha";
  let chosen = workloads;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--quick") quick = true;
    else if (arg === "--load") load = args[++index] ?? "";
    else if (arg === "--only") chosen = chooseWorkloads(args[++index] ?? "");
    else throw new Error(`Cannot understand "${arg}"\n${usage}`);
  }
  return {
    rounds: quick ? 3 : 5,
    durations: quick ? { warmUp: 0.5, load: 1 } : { warmUp: 1, load: 3 },
    workloads: chosen,
    load,
  };
}

function chooseWorkloads(names: string): readonly Workload[] {
  return names.split(",").map((name) => {
    const found = workloads.find((workload) => workload.name === name);
    if (found !== undefined) return found;
    const known = workloads.map((workload) => workload.name).join(", ");
    throw new Error(`Cannot find workload "${name}": expected one of ${known}`);
  });
}

/** How old files are when they are served first, in milliseconds. */
const FILE_AGE = 4_000;

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function run(
  settings: Settings,
  generator: LoadGenerator,
  bun: BunProgram | undefined,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  try {
    console.log(tableHead());
    for (const workload of settings.workloads) {
      const file = `${folder}/${workload.name}.bin`;
      await Deno.writeFile(file, fileContent(workload.fileSize));
      // Files that are served have rarely changed within the last seconds.
      if (workload.fileSize > 0) await delay(FILE_AGE);
      const subjects = subjectsFor(workload, bun?.path, file);
      const own: Sample[] = [];
      for (let round = 0; round < settings.rounds; round++) {
        for (const subject of rotate(subjects, round)) {
          own.push(
            await measure(
              subject,
              workload,
              round,
              generator,
              settings.durations,
            ),
          );
        }
      }
      console.log(tableRows(workload, subjects, own));
      samples.push(...own);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return samples;
}

async function writeResults(
  environment: Record<string, unknown>,
  samples: readonly Sample[],
): Promise<string> {
  const folder = `${import.meta.dirname}/results`;
  await Deno.mkdir(folder, { recursive: true });
  const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const path = `${folder}/${moment}.json`;
  const content = JSON.stringify({ environment, samples }, null, 2);
  await Deno.writeTextFile(path, `${content}\n`);
  return path;
}

async function processorName(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

async function main(): Promise<void> {
  if (Deno.build.os !== "linux") {
    throw new Error("Cannot measure CPU time: the benchmarks need Linux");
  }
  const settings = readSettings(Deno.args);
  const generator = await findLoadGenerator(settings.load);
  const bun = await findBun();
  if (bun === undefined) {
    console.warn(
      `Leaving out Bun: install it with \`npm i -g bun@${bunVersion}\``,
    );
  }
  const environment = {
    deno: Deno.version.deno,
    bun: bun?.version ?? null,
    load: generator.version,
    connections,
    rounds: settings.rounds,
    seconds: settings.durations.load,
    processor: await processorName(),
    processors: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
  };
  for (const [name, value] of Object.entries(environment)) {
    console.log(`${name.padEnd(12)}${value}`);
  }
  console.log("");
  const samples = await run(settings, generator, bun);
  console.log(`\nAll samples: ${await writeResults(environment, samples)}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
