import type { HttpMetrics } from "../engine.ts";
import {
  METRIC_BYTES_READ,
  METRIC_BYTES_WRITTEN,
  METRIC_CONNECTIONS,
  METRIC_CONNECTIONS_REFUSED,
  METRIC_CONNECTIONS_TOTAL,
  METRIC_PENDING,
  METRIC_QUEUE,
  METRIC_REQUESTS,
  METRIC_REQUESTS_NATIVE,
  METRIC_REQUESTS_SHED,
  METRIC_STALL_NOW,
  METRIC_STALL_SUM,
  METRIC_STALLS,
  METRIC_STATUS,
  METRIC_TIMEOUTS,
  STALL_BOUNDS,
} from "./abi.ts";

/** The first status that is counted. */
const FIRST_STATUS = 100;

/** Metrics from the values that `jstime_metrics` writes. */
export function decodeMetrics(values: Float64Array): HttpMetrics {
  const value = (index: number) => values[index]!;
  const statuses: Record<number, number> = {};
  values.subarray(METRIC_STATUS).forEach((count, index) => {
    if (count > 0) statuses[FIRST_STATUS + index] = count;
  });
  return {
    connections: value(METRIC_CONNECTIONS),
    connectionsTotal: value(METRIC_CONNECTIONS_TOTAL),
    connectionsRefused: value(METRIC_CONNECTIONS_REFUSED),
    requests: value(METRIC_REQUESTS),
    requestsNative: value(METRIC_REQUESTS_NATIVE),
    requestsShed: value(METRIC_REQUESTS_SHED),
    pendingRequests: value(METRIC_PENDING),
    queuedRequests: value(METRIC_QUEUE),
    bytesRead: value(METRIC_BYTES_READ),
    bytesWritten: value(METRIC_BYTES_WRITTEN),
    timeouts: value(METRIC_TIMEOUTS),
    stalls: {
      now: value(METRIC_STALL_NOW),
      sum: value(METRIC_STALL_SUM),
      bounds: [...STALL_BOUNDS, Infinity],
      counts: Array.from(values.subarray(METRIC_STALLS, METRIC_STATUS)),
    },
    statuses,
  };
}
