import { assertEquals } from "@std/assert";
import type { HttpMetrics } from "../../src/engine/engine.ts";
import { metricsText } from "../../src/engine/metrics_text.ts";

const METRICS: HttpMetrics = {
  connections: 1,
  connectionsTotal: 2,
  connectionsRefused: 3,
  requests: 4,
  requestsNative: 5,
  requestsShed: 6,
  pendingRequests: 7,
  queuedRequests: 8,
  bytesRead: 9,
  bytesWritten: 10,
  timeouts: 11,
  stalls: {
    now: 12,
    sum: 1500,
    bounds: [1, 250, Infinity],
    counts: [3, 2, 1],
  },
  statuses: { 200: 13, 404: 14 },
};

const TEXT = `\
# HELP jstime_connections Connections open now.
# TYPE jstime_connections gauge
jstime_connections 1
# HELP jstime_connections_total Connections accepted.
# TYPE jstime_connections_total counter
jstime_connections_total 2
# HELP jstime_connections_refused_total Connections closed when they were accepted, because of the limit.
# TYPE jstime_connections_refused_total counter
jstime_connections_refused_total 3
# HELP jstime_http_requests_total Requests with a complete head.
# TYPE jstime_http_requests_total counter
jstime_http_requests_total 4
# HELP jstime_http_requests_native_total Requests answered without JavaScript.
# TYPE jstime_http_requests_native_total counter
jstime_http_requests_native_total 5
# HELP jstime_http_requests_shed_total Requests answered 503 because too many were waiting.
# TYPE jstime_http_requests_shed_total counter
jstime_http_requests_shed_total 6
# HELP jstime_http_requests_pending Requests whose response is not complete.
# TYPE jstime_http_requests_pending gauge
jstime_http_requests_pending 7
# HELP jstime_http_requests_queued Requests waiting for JavaScript.
# TYPE jstime_http_requests_queued gauge
jstime_http_requests_queued 8
# HELP jstime_read_bytes_total Bytes read from sockets.
# TYPE jstime_read_bytes_total counter
jstime_read_bytes_total 9
# HELP jstime_written_bytes_total Bytes written to sockets.
# TYPE jstime_written_bytes_total counter
jstime_written_bytes_total 10
# HELP jstime_timeouts_total Connections cut at a deadline.
# TYPE jstime_timeouts_total counter
jstime_timeouts_total 11
# HELP jstime_http_responses_total Responses by status.
# TYPE jstime_http_responses_total counter
jstime_http_responses_total{status="200"} 13
jstime_http_responses_total{status="404"} 14
# HELP jstime_javascript_stall_now_seconds Time that JavaScript has left its events waiting, now.
# TYPE jstime_javascript_stall_now_seconds gauge
jstime_javascript_stall_now_seconds 0.012
# HELP jstime_javascript_stall_seconds Times for which JavaScript left its events waiting.
# TYPE jstime_javascript_stall_seconds histogram
jstime_javascript_stall_seconds_bucket{le="0.001"} 3
jstime_javascript_stall_seconds_bucket{le="0.25"} 5
jstime_javascript_stall_seconds_bucket{le="+Inf"} 6
jstime_javascript_stall_seconds_sum 1.5
jstime_javascript_stall_seconds_count 6
`;

Deno.test("metricsText writes Prometheus' text format", () => {
  assertEquals(metricsText(METRICS), TEXT);
});

Deno.test("metricsText leaves out what nobody counts", () => {
  const names = metricsText({
    ...METRICS,
    connections: undefined,
    connectionsTotal: undefined,
    connectionsRefused: undefined,
    bytesRead: undefined,
    bytesWritten: undefined,
    timeouts: undefined,
    stalls: undefined,
    statuses: {},
  }).matchAll(/^# TYPE (\w+)/gm);
  assertEquals(Array.from(names, ([, name]) => name), [
    "jstime_http_requests_total",
    "jstime_http_requests_native_total",
    "jstime_http_requests_shed_total",
    "jstime_http_requests_pending",
    "jstime_http_requests_queued",
    "jstime_http_responses_total",
  ]);
});
