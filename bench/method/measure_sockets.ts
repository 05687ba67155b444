import { SocketLoad } from "../load/socket_load.ts";
import type { SocketLoadPlan } from "../workloads/workload.ts";
import type { Measured, Step } from "./measure.ts";
import { needSockets } from "./need_sockets.ts";
import type { Setup } from "./setup.ts";
import { startSubject } from "./start_subject.ts";
import { watch } from "./watch.ts";

/**
 * Measures messages that are sent as fast as they come back. The client looks
 * at every byte that it receives.
 *
 * @throws {Error} If an answer is wrong, or there is no client.
 */
export async function measureSockets(
  step: Step,
  plan: SocketLoadPlan,
  { tools, folder, durations }: Setup,
): Promise<Measured> {
  const program = needSockets(tools);
  await using server = await startSubject(step, folder);
  await using load = await SocketLoad.connect(program, {
    port: server.port,
    protocol: plan.protocol,
    exchange: plan.exchange,
    connections: step.connections,
    size: plan.size,
    copies: plan.copies,
  });
  await load.run(durations.warmUp);
  const metrics = await watch(server, () => load.run(durations.load));
  return { load: "sockets", metrics };
}
