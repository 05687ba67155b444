import type { HttpTarget, LoadResult } from "../load/load.ts";
import { SocketLoad } from "../load/socket_load.ts";
import { chooseHttpLoad } from "../load/tools.ts";
import type { StallLoadPlan } from "../workloads/workload.ts";
import type { Measured, Step } from "./measure.ts";
import { needSockets } from "./need_sockets.ts";
import type { Setup } from "./setup.ts";
import { startSubject } from "./start_subject.ts";
import { definedMetrics } from "./watch.ts";

/**
 * Measures what clients see while a handler blocks JavaScript once a second.
 *
 * @throws {Error} If an answer is missing, or a tool.
 */
export async function measureStall(
  step: Step,
  plan: StallLoadPlan,
  setup: Setup,
): Promise<Measured> {
  await using server = await startSubject(step, setup.folder);
  await using load = await openLoad(step, plan, setup, server.port);
  await load.run(setup.durations.warmUp);
  const block = setInterval(() => callBlock(server.port), 1000);
  try {
    const { p50, p99, p999 } = await load.run(setup.durations.stall);
    return {
      load: load.name,
      metrics: definedMetrics({
        p50,
        p99,
        p999,
        peakMemory: await server.peakMemory(),
      }),
    };
  } finally {
    clearInterval(block);
  }
}

async function callBlock(port: number): Promise<void> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/block`);
    await response.body?.cancel();
  } catch {
    // The server was stopped meanwhile, as the measurement is over.
  }
}

interface StallLoad extends AsyncDisposable {
  readonly name: string;
  readonly run: (seconds: number) => Promise<LoadResult>;
}

async function openLoad(
  { connections }: Step,
  plan: StallLoadPlan,
  { tools }: Setup,
  port: number,
): Promise<StallLoad> {
  if (plan.probe === "http") {
    const target: HttpTarget = {
      origin: `http://127.0.0.1:${port}`,
      request: { method: "GET", path: plan.path, headers: {}, content: "" },
      contentFile: undefined,
      status: 200,
      answerBytes: 0,
      connections,
      pipelined: 1,
      closes: false,
      rate: plan.rate,
    };
    const tool = chooseHttpLoad(tools, target);
    return {
      name: tool.name,
      run: (seconds) => tool.run(target, seconds),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const load = await SocketLoad.connect(needSockets(tools), {
    port,
    protocol: "websocket",
    exchange: plan.probe === "ping" ? "ping" : "receive",
    connections,
    rate: plan.rate,
  });
  return {
    name: "sockets",
    run: (seconds) => load.run(seconds),
    [Symbol.asyncDispose]: () => load[Symbol.asyncDispose](),
  };
}
