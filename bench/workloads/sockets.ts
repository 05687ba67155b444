/**
 * The WebSocket and TCP workloads.
 *
 * @module
 */

import { KIBIBYTE } from "./content.ts";
import type { SocketLoadPlan, Workload } from "./workload.ts";

/** All of them, in the order in which they are run. */
export const socketWorkloads: readonly Workload[] = [
  sockets("ws-echo", "WebSocket echo, 32 B", "websocket", {
    size: 32,
    connections: [1, 64, 512],
    isHeadline: true,
  }),
  sockets("ws-echo-16k", "WebSocket echo, 16 KiB", "websocket", {
    size: 16 * KIBIBYTE,
  }),
  sockets("publish-500", "publish to 500", "websocket", {
    exchange: "publish",
    size: 32,
    connections: [500],
    isHeadline: true,
  }),
  sockets("publish-500x10", "publish 10 at once to 500", "websocket", {
    exchange: "publish",
    size: 32,
    copies: 10,
    connections: [500],
  }),
  sockets("publish-5000", "publish to 5,000", "websocket", {
    exchange: "publish",
    size: 32,
    connections: [5_000],
  }),
  sockets("tcp-echo", "TCP echo, 64 B", "tcp", {
    size: 64,
    connections: [1, 64, 512],
    isHeadline: true,
  }),
  sockets("tcp-echo-64k", "TCP echo, 64 KiB", "tcp", { size: 64 * KIBIBYTE }),
];

interface Details {
  readonly size: number;
  readonly exchange?: SocketLoadPlan["exchange"];
  readonly copies?: number;
  readonly connections?: readonly number[];
  readonly isHeadline?: boolean;
}

function sockets(
  name: string,
  title: string,
  protocol: SocketLoadPlan["protocol"],
  details: Details,
): Workload {
  const exchange = details.exchange ?? "echo";
  const copies = details.copies ?? 1;
  return {
    name,
    title,
    group: protocol === "tcp" ? "TCP" : "WebSockets",
    operation: exchange === "echo" ? "message" : "delivery",
    service: {
      name: protocol,
      variant: exchange === "echo" ? "echo" : `publish-${copies}`,
    },
    load: { kind: "sockets", protocol, exchange, size: details.size, copies },
    connections: details.connections ?? [64],
    takesConnections: exchange === "echo",
    isHeadline: details.isHeadline ?? false,
  };
}
