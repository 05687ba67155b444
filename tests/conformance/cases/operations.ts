/**
 * What a server tells about itself, and whom it sends away.
 *
 * @module
 */
import {
  ask,
  type CaseOptions,
  type ConformanceCase,
  lines,
  request,
  table,
} from "../case.ts";

const NO_ROUTES = "has no health and metrics routes";
const NO_LIMITS = "has no such limits";
const OWN_LIMITS = { deno: "Deno.serve has limits of its own", bun: NO_LIMITS };

const alive = {
  status: 200,
  headers: { "cache-control": "no-store" },
  body: "ok\n",
};

const METRICS_TYPE = /^text\/plain; version=0\.0\.4/;

/** Lines that begin with each of these, in any order. */
function hasLines(...texts: string[]): RegExp {
  return new RegExp(
    texts.map((text) => `(?=[^]*^${RegExp.escape(text)})`).join(""),
    "m",
  );
}

/** Wherever the routes of an operator lead to otherwise, they come first. */
const competitors: [name: string, options: () => CaseOptions][] = [
  ["fetch", () => ({ fetch: () => new Response("mine") })],
  ["a route", () => ({
    routes: {
      "/healthz": () => new Response("mine"),
      "/metrics": () => new Response("mine"),
    },
  })],
  ["a static route", () => ({
    routes: { "/healthz": new Response("mine"), "/metrics": new Response("") },
  })],
  ["a wildcard", () => ({ routes: { "/*": () => new Response("mine") } })],
  ["a parameter", () => ({ routes: { "/:a": () => new Response("mine") } })],
];

export const cases: ConformanceCase[] = [
  ...table(competitors, ([name, options]) => ({
    name: `the health and metrics routes come before ${name}`,
    server: () => ({
      ...options(),
      healthRoute: "/healthz",
      metricsRoute: "/metrics",
    }),
    exchange: [
      ask("GET /healthz", alive),
      ask("GET /metrics", {
        status: 200,
        headers: { "content-type": METRICS_TYPE },
      }),
    ],
    bun: NO_ROUTES,
  })),
  {
    name: "the health route answers every method, with any query",
    server: () => ({
      healthRoute: { path: "/health", stall: 60 },
      routes: { "/other": new Response("other") },
    }),
    exchange: [
      ask("GET /health?verbose", alive),
      ask("HEAD /health", { ...alive, body: "" }),
      ask("POST /health", alive, { body: "content" }),
      ask("GET /health/", { status: 404 }),
      ask("GET /Health", { status: 404 }),
      ask("GET /other", { status: 200, body: "other" }),
    ],
    bun: NO_ROUTES,
  },
  {
    name: "the health route stays when handlers are replaced",
    server: () => ({
      healthRoute: "/healthz",
      fetch: () => new Response("before"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "before" }),
      {
        run: (server) =>
          server.reload({
            healthRoute: "/other",
            routes: { "/healthz": new Response("mine") },
            fetch: () => new Response("after"),
          }),
      },
      ask("GET /healthz", alive),
      ask("GET /other", { status: 200, body: "after" }),
    ],
    bun: NO_ROUTES,
  },
  {
    name: "metrics are counted",
    server: () => ({
      metricsRoute: "/metrics",
      routes: {
        "/static": new Response("static"),
        "/handler": () => new Response("handler", { status: 201 }),
      },
    }),
    exchange: [
      ask("GET /static", { status: 200 }),
      ask("GET /handler", { status: 201 }),
      ask("GET /missing", { status: 404 }),
      ask("GET /metrics", {
        status: 200,
        headers: { "content-type": METRICS_TYPE, "cache-control": "no-store" },
        body: hasLines(
          "# TYPE jstime_http_requests_total counter\n",
          "jstime_http_requests_total 4\n",
          "# TYPE jstime_http_requests_pending gauge\n",
          "jstime_http_requests_shed_total 0\n",
          'jstime_http_responses_total{status="200"} 1\n',
          'jstime_http_responses_total{status="201"} 1\n',
          'jstime_http_responses_total{status="404"} 1\n',
        ),
      }),
      ask("HEAD /metrics", { status: 200, body: "" }),
    ],
    bun: NO_ROUTES,
  },
  {
    name: "server.metrics() counts requests and responses",
    server: () => ({
      fetch: ({ url }) =>
        new Response("", { status: url.endsWith("/teapot") ? 418 : 200 }),
    }),
    exchange: [
      ask("GET /teapot", { status: 418 }),
      ask("GET /", { status: 200 }),
      ask("GET /", { status: 200 }),
      {
        run: (server, api) => {
          const { requests, requestsShed, statuses } = server.metrics!();
          api.log(JSON.stringify({ requests, requestsShed, statuses }));
        },
      },
    ],
    log: ['{"requests":3,"requestsShed":0,"statuses":{"200":2,"418":1}}'],
    bun: "has no metrics",
  },
  {
    name:
      "more than maxPendingRequests are sent away, but not from healthRoute",
    server: (api) => ({
      maxPendingRequests: 1,
      healthRoute: "/healthz",
      fetch: () => {
        api.log("called");
        return new Promise(() => {});
      },
    }),
    exchange: [
      { send: request("GET /") },
      { logged: "called" },
      { connection: "second", send: request("GET /") },
      {
        connection: "second",
        receive: {
          status: 503,
          headers: { "retry-after": "1", "connection": null },
          body: "",
        },
      },
      { connection: "second", send: request("GET /healthz") },
      { connection: "second", receive: alive },
      {
        run: (server, api) => {
          const { requestsShed, pendingRequests } = server.metrics!();
          api.log(`shed ${requestsShed}, pending ${pendingRequests}`);
        },
      },
    ],
    log: ["called", "shed 1, pending 1"],
    skip: {
      native: "it counts requests that JavaScript has not looked at yet",
      bun: NO_LIMITS,
    },
  },
  {
    name: "limits.headBytes refuses a longer head",
    server: () => ({
      limits: { headBytes: 2048 },
      fetch: () => new Response("ok"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "ok" }, {
        headers: { "X-A": "a".repeat(1500) },
      }),
      ask("GET /", { status: 431 }, { headers: { "X-A": "a".repeat(2048) } }),
      { closed: true },
    ],
    skip: OWN_LIMITS,
  },
  {
    name: "limits.headerCount refuses more fields",
    server: () => ({
      limits: { headerCount: 3 },
      fetch: () => new Response("ok"),
    }),
    exchange: [
      ask("GET /", { status: 200 }, { headers: { a: "1", b: "2" } }),
      ask("GET /", { status: 431 }, { headers: { a: "1", b: "2", c: "3" } }),
      { closed: true },
    ],
    skip: OWN_LIMITS,
  },
  {
    name: "limits.targetBytes refuses a longer target",
    server: () => ({
      limits: { targetBytes: 10 },
      fetch: () => new Response("ok"),
    }),
    exchange: [
      ask("GET /123456789", { status: 200 }),
      ask("GET /1234567890", { status: 414 }),
      { closed: true },
    ],
    skip: OWN_LIMITS,
  },
  {
    name: "limits.connections closes one more, and takes it when one has left",
    server: () => ({
      limits: { connections: 1 },
      fetch: () => new Response("ok"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "ok" }),
      { connection: "second", open: true },
      { connection: "second", closed: true },
      ask("GET /", { status: 200, body: "ok" }),
      {
        run: (server, api) =>
          api.log(`refused ${server.metrics!().connectionsRefused}`),
      },
      { close: true },
      { pause: 100 },
      { connection: "third", send: request("GET /") },
      { connection: "third", receive: { status: 200, body: "ok" } },
    ],
    log: ["refused 1"],
    skip: OWN_LIMITS,
  },
  {
    name: "limits.headTimeout cuts a head that drips",
    server: () => ({
      idleTimeout: 0,
      limits: { headTimeout: 1 },
      fetch: () => new Response("ok"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "ok" }),
      { send: "GET / HTTP/1.1\r\n" },
      { pause: 400 },
      { send: "Host: localhost\r\n" },
      { pause: 400 },
      { send: "X-A: b\r\n" },
      { receive: { status: 408 } },
      { closed: true },
    ],
    skip: OWN_LIMITS,
  },
  {
    name: "limits.contentRate cuts content that drips",
    server: (api) => ({
      idleTimeout: 0,
      limits: { contentRate: 1000 },
      fetch: async (request) => {
        await request.text().catch(() => api.log("rejected"));
        return new Response("answer");
      },
    }),
    exchange: [
      {
        send: lines(
          "POST / HTTP/1.1",
          "Host: localhost",
          "Content-Length: 1000000",
          "",
        ),
      },
      ...Array.from({ length: 14 }, () => [{ send: "a" }, { pause: 500 }])
        .flat(),
      { logged: "rejected" },
    ],
    log: ["rejected"],
    skip: OWN_LIMITS,
  },
];
