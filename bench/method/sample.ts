/**
 * What a measurement is.
 *
 * @module
 */

/** The name of something that is measured. */
export type MetricName =
  | "operationsPerSecond"
  | "p50"
  | "p99"
  | "p999"
  | "cpu"
  | "scriptCpu"
  | "peakMemory"
  | "startTime"
  | "memory"
  | "busiestThread"
  | "machineIdle";

/** Values of one measurement; what was not measured is absent. */
export type Metrics = Partial<Readonly<Record<MetricName, number>>>;

/** One measurement of one fresh process. */
export interface Sample {
  /** The workload's name. */
  readonly workload: string;
  /** How many connections were open. */
  readonly connections: number;
  /** The subject's identifier. */
  readonly subject: string;
  /** Which round it belongs to, from 0. */
  readonly round: number;
  /** What made the load. */
  readonly load: string;
  /** What was measured. */
  readonly metrics: Metrics;
}

/** A measurement that did not take place. */
export interface Skip {
  /** The workload's name; `*` for all. */
  readonly workload: string;
  /** The subject's identifier. */
  readonly subject: string;
  /** Why. */
  readonly reason: string;
}
