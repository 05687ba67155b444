/**
 * Measures one subject once.
 *
 * @module
 */

import type { Subject } from "../subjects/subject.ts";
import type { Workload } from "../workloads/workload.ts";
import { measureHttp } from "./measure_http.ts";
import { measureMemory } from "./measure_memory.ts";
import { measureSockets } from "./measure_sockets.ts";
import { measureStall } from "./measure_stall.ts";
import { measureStart } from "./measure_start.ts";
import type { Metrics, Sample } from "./sample.ts";
import type { Setup } from "./setup.ts";

/** What was measured, and with what. */
export interface Measured {
  /** What made the load. */
  readonly load: string;
  /** What was measured. */
  readonly metrics: Metrics;
}

/** One measurement to make. */
export interface Step {
  /** Who. */
  readonly subject: Subject;
  /** What. */
  readonly workload: Workload;
  /** How many connections are open. */
  readonly connections: number;
  /** Which round, from 0. */
  readonly round: number;
}

/**
 * Starts a subject, checks its answer, warms it up, measures, stops it.
 *
 * @throws {Error} If the subject does not start or answers wrongly, or a tool
 * is missing.
 */
export async function measure(step: Step, setup: Setup): Promise<Sample> {
  const { load, metrics } = await measureKind(step, setup);
  return {
    workload: step.workload.name,
    connections: step.connections,
    subject: step.subject.id,
    round: step.round,
    load,
    metrics,
  };
}

function measureKind(step: Step, setup: Setup): Promise<Measured> {
  const { load } = step.workload;
  switch (load.kind) {
    case "http":
      return measureHttp(step, load, setup);
    case "sockets":
      return measureSockets(step, load, setup);
    case "stall":
      return measureStall(step, load, setup);
    case "start":
      return measureStart(step, setup);
    case "memory":
      return measureMemory(step, load, setup);
  }
}
