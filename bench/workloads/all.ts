/**
 * All workloads.
 *
 * @module
 */

import { httpWorkloads } from "./http.ts";
import { idleWorkloads } from "./idle.ts";
import { socketWorkloads } from "./sockets.ts";
import { stallWorkloads } from "./stall.ts";
import type { Workload } from "./workload.ts";

/** All workloads, in the order in which they are run. */
export const workloads: readonly Workload[] = [
  ...httpWorkloads,
  ...socketWorkloads,
  ...stallWorkloads,
  ...idleWorkloads,
];
