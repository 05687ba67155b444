/**
 * Compares WebSocket servers: ours, `Deno.upgradeWebSocket` by hand, and Bun.
 *
 * ```sh
 * deno run -A bench/websocket.ts [--quick] [--only echo-32,echo-16k,publish]
 * ```
 *
 * As `bench/http.ts` does, it measures fresh processes in turns, and shows
 * medians. The client is this very process, so look at CPU per message: the
 * messages per second are as much the client's as the server's.
 *
 * @module
 */

import { type BunProgram, bunVersion, findBun } from "./bun_program.ts";
import { ServerProcess } from "./server_process.ts";
import { median, rotate } from "./statistics.ts";
import type { Subject } from "./subjects.ts";
import {
  WebSocketLoad,
  type WebSocketWorkload,
  workloads,
} from "./websocket_load.ts";

interface Sample {
  readonly workload: string;
  readonly subject: string;
  readonly round: number;
  readonly messagesPerSecond: number;
  readonly p99: number;
  readonly cpuMicroseconds: number;
  readonly peakMemory: number;
}

interface Settings {
  readonly rounds: number;
  readonly warmUp: number;
  readonly load: number;
  readonly workloads: readonly WebSocketWorkload[];
}

const usage = "Usage: deno run -A bench/websocket.ts [--quick] " +
  "[--only NAME,...]";

function readSettings(args: readonly string[]): Settings {
  let quick = false;
  let chosen = workloads;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === "--quick") quick = true;
    else if (arg === "--only") chosen = chooseWorkloads(args[++index] ?? "");
    else throw new Error(`Cannot understand "${arg}"\n${usage}`);
  }
  return {
    rounds: quick ? 3 : 5,
    warmUp: quick ? 1 : 2,
    load: quick ? 2 : 4,
    workloads: chosen,
  };
}

function chooseWorkloads(names: string): readonly WebSocketWorkload[] {
  return names.split(",").map((name) => {
    const found = workloads.find((workload) => workload.name === name);
    if (found !== undefined) return found;
    const known = workloads.map((workload) => workload.name).join(", ");
    throw new Error(`Cannot find workload "${name}": expected one of ${known}`);
  });
}

function subjectsFor(
  { name }: WebSocketWorkload,
  bun: BunProgram | undefined,
): readonly Subject[] {
  const subject = (
    title: string,
    program: string,
    args: readonly string[],
    isBaseline = false,
  ): Subject => ({
    name: title,
    program,
    args: [...args, name],
    env: { JSTIME_ENGINE: "deno", NO_COLOR: "1" },
    isBaseline,
  });
  const script = (file: string) => `${import.meta.dirname}/subjects/${file}`;
  const deno = ["run", "-A"];
  const subjects = [
    subject("Deno by hand", Deno.execPath(), [
      ...deno,
      script("websocket_by_hand.ts"),
    ], true),
    subject("ours, deno engine", Deno.execPath(), [
      ...deno,
      script("websocket_ours.ts"),
    ]),
  ];
  if (bun !== undefined) {
    subjects.push(
      subject("Bun", bun.path, ["run", script("websocket_bun.ts")]),
    );
  }
  return subjects;
}

async function measure(
  subject: Subject,
  workload: WebSocketWorkload,
  round: number,
  { warmUp, load: seconds }: Settings,
): Promise<Sample> {
  await using server = await ServerProcess.start(subject);
  const load = await WebSocketLoad.connect(workload, server.port);
  try {
    await load.run(warmUp);
    const before = await server.cpuSeconds();
    const result = await load.run(seconds);
    const cpu = await server.cpuSeconds() - before;
    return {
      workload: workload.name,
      subject: subject.name,
      round,
      messagesPerSecond: result.deliveries / result.seconds,
      p99: result.p99,
      cpuMicroseconds: cpu * 1e6 / result.deliveries,
      peakMemory: await server.peakMemory(),
    };
  } finally {
    load.close();
  }
}

async function run(
  settings: Settings,
  bun: BunProgram | undefined,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  console.log(
    row("", ["messages/s", "p99 ms", "CPU µs/msg", "peak MB", "CPU vs hand"]),
  );
  for (const workload of settings.workloads) {
    const subjects = subjectsFor(workload, bun);
    const own: Sample[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      for (const subject of rotate(subjects, round)) {
        own.push(await measure(subject, workload, round, settings));
      }
    }
    console.log(tableRows(workload, subjects, own));
    samples.push(...own);
  }
  return samples;
}

function tableRows(
  workload: WebSocketWorkload,
  subjects: readonly Subject[],
  samples: readonly Sample[],
): string {
  const middle = ({ name }: Subject, key: keyof Sample) =>
    median(
      samples
        .filter((sample) => sample.subject === name)
        .map((sample) => Number(sample[key])),
    );
  const baseline = subjects.find((subject) => subject.isBaseline)!;
  const lines = subjects.map((subject) =>
    row(`  ${subject.name}`, [
      Math.round(middle(subject, "messagesPerSecond")).toLocaleString("en"),
      middle(subject, "p99").toFixed(2),
      middle(subject, "cpuMicroseconds").toFixed(2),
      (middle(subject, "peakMemory") / 1e6).toFixed(0),
      (middle(subject, "cpuMicroseconds") / middle(baseline, "cpuMicroseconds"))
        .toFixed(2),
    ])
  );
  return [workload.title, ...lines].join("\n");
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(26) + cells.map((cell) => cell.padStart(12)).join("");
}

async function writeResults(samples: readonly Sample[]): Promise<string> {
  const folder = `${import.meta.dirname}/results`;
  await Deno.mkdir(folder, { recursive: true });
  const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const path = `${folder}/websocket-${moment}.json`;
  const environment = { deno: Deno.version.deno, bun: bunVersion };
  const content = JSON.stringify({ environment, samples }, null, 2);
  await Deno.writeTextFile(path, `${content}\n`);
  return path;
}

async function main(): Promise<void> {
  if (Deno.build.os !== "linux") {
    throw new Error("Cannot measure CPU time: the benchmarks need Linux");
  }
  const settings = readSettings(Deno.args);
  const bun = await findBun();
  if (bun === undefined) {
    console.warn(
      `Leaving out Bun: install it with \`npm i -g bun@${bunVersion}\``,
    );
  }
  const samples = await run(settings, bun);
  console.log(`\nAll samples: ${await writeResults(samples)}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
