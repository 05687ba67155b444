/**
 * What clients see of a server whose JavaScript is blocked for 200 ms in every
 * second. The load has a fixed rate, and latency counts from when an operation
 * was due: a server that stalls cannot slow the question down.
 *
 * @module
 */

import { MEBIBYTE } from "./content.ts";
import type { StallLoadPlan, Workload } from "./workload.ts";

/** How long a handler blocks JavaScript, in milliseconds. */
export const BLOCK_MILLISECONDS = 200;

/** All of them, in the order in which they are run. */
export const stallWorkloads: readonly Workload[] = [
  stall("stall-static", "static route", { probe: "http", path: "/static" }),
  stall("stall-file", "file, 1 MiB", {
    probe: "http",
    path: "/file",
    rate: 200,
  }),
  stall("stall-ping", "WebSocket ping", { probe: "ping" }),
  stall("stall-publish", "publish by a Worker", { probe: "publish" }),
];

function stall(
  name: string,
  title: string,
  plan: Pick<StallLoadPlan, "probe"> & Partial<StallLoadPlan>,
): Workload {
  return {
    name,
    title: `${title} (JavaScript blocked)`,
    group: "While JavaScript is blocked",
    operation: plan.probe === "publish" ? "delivery" : "operation",
    service: { name: "stall", variant: plan.probe, fileSize: MEBIBYTE },
    load: { kind: "stall", path: "", rate: 500, ...plan },
    connections: [16],
    takesConnections: false,
    isHeadline: name === "stall-static",
  };
}
