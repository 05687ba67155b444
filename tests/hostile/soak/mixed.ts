/**
 * Everything at once, for as long as one likes.
 *
 * @module
 */
import {
  type EngineName,
  eventually,
  HostileProgram,
  type Usage,
} from "../program.ts";
import {
  type Allowed,
  complaints,
  describe,
  growth,
  mebibytes,
} from "./samples.ts";
import { FILE_BYTES, work } from "./work.ts";

/** How a mixed run goes. */
export interface MixedPlan {
  /** Clients of each kind at a time. */
  readonly clients: number;
  /** What a client rests after each round of its work, in milliseconds. */
  readonly rest: number;
  /** From one sample to the next, in milliseconds. */
  readonly interval: number;
  /** What may be added without being called a leak. */
  readonly allowed: Allowed;
  /** Told what is going on. */
  readonly report: (line: string) => void;
}

const gentle: MixedPlan = {
  clients: 2,
  rest: 300,
  interval: 5_000,
  // Allocators hold on to what was freed.
  allowed: { memory: 16 * 1024 * 1024, descriptors: 20, threads: 0 },
  report: console.log,
};

/**
 * Does everything at once for some seconds.
 *
 * @returns Whether memory, descriptors and threads stayed flat, and whether the
 * descriptors were given back in the end.
 * @throws {Error} When an answer was wrong or missing.
 */
export async function soakMixed(
  engine: EngineName,
  seconds: number,
  plan: MixedPlan = gentle,
): Promise<boolean> {
  const { allowed, report } = plan;
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(FILE_BYTES));
    await using program = await HostileProgram.start(
      "mixed",
      engine,
      { FILE: path },
      ["--v8-flags=--expose-gc"],
    );
    await program.get("/static");
    const before = program.usage();
    report(`At the start: ${describe(before)}`);
    const samples = await run(program, seconds, plan);
    const found = complaints(samples, allowed);
    const leftovers = await eventually("everything is given back", async () => {
      const { descriptors } = program.usage();
      return descriptors <= before.descriptors + allowed.descriptors &&
        await program.get("/sockets") === "0" &&
        await program.get("/subscribers") === "0";
    }).catch(({ message }) => String(message));
    if (leftovers) found.push(leftovers);
    report(`At the end: ${describe(program.usage())}`);
    report(`Growth: ${describe(growth(samples))}`);
    for (const complaint of found) report(complaint);
    return found.length === 0;
  } finally {
    await Deno.remove(path);
  }
}

/** What JavaScript holds, after everything else was collected. */
async function memoryOf(program: HostileProgram): Promise<Deno.MemoryUsage> {
  return JSON.parse(await program.get("/memory"));
}

async function run(
  program: HostileProgram,
  seconds: number,
  { clients, rest, interval, report }: MixedPlan,
): Promise<Usage[]> {
  const samples: Usage[] = [];
  const start = performance.now();
  const rounds: Record<string, number> = {};
  let failure: Error | undefined;
  const isOver = () =>
    failure !== undefined || performance.now() - start > seconds * 1000;

  async function repeat(name: string): Promise<void> {
    while (!isOver()) {
      try {
        await work[name]!(program.port);
      } catch (cause) {
        failure ??= new Error(`${name} failed`, { cause });
      }
      rounds[name] = (rounds[name] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }

  async function watch(): Promise<void> {
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, interval));
      const { heapUsed, external } = await memoryOf(program);
      const usage = program.usage();
      samples.push(usage);
      const elapsed = Math.round((performance.now() - start) / 1000);
      const script = `${mebibytes(heapUsed + external)} of JavaScript`;
      report(`${elapsed} s: ${describe(usage)}, ${script}`);
    }
  }

  await Promise.all([
    watch(),
    ...Object.keys(work).flatMap((name) =>
      Array.from({ length: clients }, () => repeat(name))
    ),
  ]);
  if (failure !== undefined) throw failure;
  report(`Rounds: ${JSON.stringify(rounds)}`);
  return samples;
}
