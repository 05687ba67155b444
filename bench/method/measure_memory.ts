import { SocketLoad } from "../load/socket_load.ts";
import type { MemoryPlan } from "../workloads/workload.ts";
import type { Measured, Step } from "./measure.ts";
import { needSockets } from "./need_sockets.ts";
import type { ServerProcess } from "./server_process.ts";
import type { Setup } from "./setup.ts";
import { startSubject } from "./start_subject.ts";

/** How long a server has to come to rest, in milliseconds. */
const REST = 1_000;

/**
 * Measures the resident memory of a server after its first answer, or how much
 * it grows by clients that are connected and silent.
 *
 * @throws {Error} If a client cannot connect, or there is no client.
 */
export async function measureMemory(
  step: Step,
  { protocol }: MemoryPlan,
  { tools, folder }: Setup,
): Promise<Measured> {
  await using server = await startSubject(step, folder);
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  await response.body?.cancel();
  const before = await memoryAtRest(server);
  if (protocol === undefined) {
    return { load: "one request", metrics: { memory: before } };
  }
  await using _ = await SocketLoad.connect(needSockets(tools), {
    port: server.port,
    protocol,
    exchange: "idle",
    connections: step.connections,
  });
  const after = await memoryAtRest(server);
  return { load: "sockets", metrics: { memory: after - before } };
}

async function memoryAtRest(server: ServerProcess): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, REST));
  return await server.memory();
}
