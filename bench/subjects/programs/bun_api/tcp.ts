/**
 * The TCP server under test: it echoes, and writes what did not fit when there
 * is room again.
 *
 * @module
 */

import type { Socket } from "../../../../mod.ts";
import type { ServerPlan } from "../server_plan.ts";
import type { Api, RunningServer } from "./api.ts";

interface Client {
  readonly waiting: Uint8Array[];
}

/** Serves TCP echo. */
export function serveTcp(api: Api, plan: ServerPlan): RunningServer {
  return api.listen<Client>({
    hostname: "127.0.0.1",
    port: plan.port,
    socket: {
      open(socket) {
        socket.data = { waiting: [] };
      },
      data(socket, bytes) {
        const { waiting } = socket.data;
        const taken = waiting.length > 0 ? 0 : socket.write(bytes);
        if (taken < bytes.length) waiting.push(bytes.slice(Math.max(0, taken)));
      },
      drain,
    },
  });
}

function drain(socket: Socket<Client>): void {
  const { waiting } = socket.data;
  while (waiting.length > 0) {
    const bytes = waiting[0]!;
    const taken = Math.max(0, socket.write(bytes));
    if (taken < bytes.length) {
      waiting[0] = bytes.subarray(taken);
      return;
    }
    waiting.shift();
  }
}
