import type { HttpMetrics, StallMetrics } from "./engine.ts";

/** Content type of {@linkcode metricsText}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Numbers = {
  [
    Key in keyof HttpMetrics as HttpMetrics[Key] extends number | undefined
      ? Key
      : never
  ]: HttpMetrics[Key];
};

/** Name, type and help of each metric that is one number. */
const SINGLE: readonly [keyof Numbers, string, "gauge" | "counter", string][] =
  [
    ["connections", "jstime_connections", "gauge", "Connections open now."],
    [
      "connectionsTotal",
      "jstime_connections_total",
      "counter",
      "Connections accepted.",
    ],
    [
      "connectionsRefused",
      "jstime_connections_refused_total",
      "counter",
      "Connections closed when they were accepted, because of the limit.",
    ],
    [
      "requests",
      "jstime_http_requests_total",
      "counter",
      "Requests with a complete head.",
    ],
    [
      "requestsNative",
      "jstime_http_requests_native_total",
      "counter",
      "Requests answered without JavaScript.",
    ],
    [
      "requestsShed",
      "jstime_http_requests_shed_total",
      "counter",
      "Requests answered 503 because too many were waiting.",
    ],
    [
      "pendingRequests",
      "jstime_http_requests_pending",
      "gauge",
      "Requests whose response is not complete.",
    ],
    [
      "queuedRequests",
      "jstime_http_requests_queued",
      "gauge",
      "Requests waiting for JavaScript.",
    ],
    [
      "bytesRead",
      "jstime_read_bytes_total",
      "counter",
      "Bytes read from sockets.",
    ],
    [
      "bytesWritten",
      "jstime_written_bytes_total",
      "counter",
      "Bytes written to sockets.",
    ],
    [
      "timeouts",
      "jstime_timeouts_total",
      "counter",
      "Connections cut at a deadline.",
    ],
  ];

/**
 * Writes metrics in Prometheus' text format, version 0.0.4. What nobody counts
 * is left out. Engines that render them outside of JavaScript write the same.
 */
export function metricsText(metrics: HttpMetrics): string {
  const lines: string[] = [];
  for (const [key, name, type, help] of SINGLE) {
    const value = metrics[key];
    if (value === undefined) continue;
    lines.push(...describe(name, type, help), `${name} ${value}`);
  }
  const name = "jstime_http_responses_total";
  lines.push(...describe(name, "counter", "Responses by status."));
  for (const [status, count] of Object.entries(metrics.statuses)) {
    lines.push(`${name}{status="${status}"} ${count}`);
  }
  if (metrics.stalls !== undefined) lines.push(...stallLines(metrics.stalls));
  return lines.join("\n") + "\n";
}

function stallLines({ now, bounds, counts, sum }: StallMetrics): string[] {
  const current = "jstime_javascript_stall_now_seconds";
  const name = "jstime_javascript_stall_seconds";
  const lines = [
    ...describe(
      current,
      "gauge",
      "Time that JavaScript has left its events waiting, now.",
    ),
    `${current} ${now / 1000}`,
    ...describe(
      name,
      "histogram",
      "Times for which JavaScript left its events waiting.",
    ),
  ];
  let total = 0;
  for (const [index, bound] of bounds.entries()) {
    total += counts[index] ?? 0;
    const limit = bound === Infinity ? "+Inf" : bound / 1000;
    lines.push(`${name}_bucket{le="${limit}"} ${total}`);
  }
  lines.push(`${name}_sum ${sum / 1000}`, `${name}_count ${total}`);
  return lines;
}

function describe(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
