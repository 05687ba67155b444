/**
 * What a server costs that does nothing yet.
 *
 * @module
 */

import type { LoadPlan, ServiceName, Workload } from "./workload.ts";

const MANY = 10_000;

/** All of them, in the order in which they are run. */
export const idleWorkloads: readonly Workload[] = [
  idle("start", "start to first answer", "http", { kind: "start" }, 1),
  idle(
    "memory-start",
    "memory after start",
    "http",
    { kind: "memory", protocol: undefined },
    0,
  ),
  idle(
    "memory-http",
    "memory of 10,000 idle connections",
    "http",
    { kind: "memory", protocol: "http" },
    MANY,
  ),
  idle(
    "memory-ws",
    "memory of 10,000 idle WebSockets",
    "websocket",
    { kind: "memory", protocol: "websocket" },
    MANY,
  ),
];

function idle(
  name: string,
  title: string,
  service: ServiceName,
  load: LoadPlan,
  connections: number,
): Workload {
  return {
    name,
    title,
    group: "Start and memory",
    operation: "start",
    service: {
      name: service,
      variant: service === "http" ? "hello" : "echo",
    },
    load,
    connections: [connections],
    takesConnections: false,
    isHeadline: name === "start",
  };
}
