/**
 * The HTTP workloads.
 *
 * @module
 */

import { fileContent, KIBIBYTE, MEBIBYTE, utf8 } from "./content.ts";
import type {
  HttpExpectation,
  HttpLoadPlan,
  HttpRequest,
  Service,
  Workload,
} from "./workload.ts";

const order = JSON.stringify({
  customer: "a user",
  items: [{ name: "tea", count: 2 }, { name: "cup", count: 1 }],
});

const tenHeaders = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`x-field-${index}`, `${index}`]),
);

const everyCount = [1, 64, 512];

/** All of them, in the order in which they are run. */
export const httpWorkloads: readonly Workload[] = [
  http("hello", "hello", "/", "Hello", {
    connections: everyCount,
    isHeadline: true,
  }),
  http("async", "hello, async handler", "/", "Hello"),
  http("static", "static route", "/static", "Hello", {
    connections: everyCount,
    isHeadline: true,
  }),
  http("pipelined", "static route, 16 pipelined", "/static", "Hello", {
    variant: "static",
    pipelined: 16,
    isHeadline: true,
  }),
  http("params", "two parameters", "/users/42/posts/7", "42 7"),
  http("routes", "1,000 routes", "/group-20/kind-500/42", "42"),
  http("json", "JSON POST", "/orders", `{"customer":"a user","items":2}`, {
    request: {
      method: "POST",
      headers: { "content-type": "application/json" },
      content: order,
    },
    connections: everyCount,
    isHeadline: true,
  }),
  http("headers", "10 response headers", "/", "Hello", {
    expected: { headers: tenHeaders },
  }),
  http("stream", "streamed response, 16 KiB", "/", "a".repeat(16 * KIBIBYTE)),
  http("upload", "upload, 1 MiB", "/", String(MEBIBYTE), {
    request: {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      content: "a".repeat(MEBIBYTE),
    },
    connections: [16],
  }),
  http("https", "HTTPS hello", "/", "Hello", {
    variant: "hello",
    tls: true,
    isHeadline: true,
  }),
  http("churn", "one request per connection", "/", "Hello", {
    variant: "hello",
    closes: true,
  }),
  file("file-4k", "file, 4 KiB", 4 * KIBIBYTE),
  file("file-64k", "file, 64 KiB", 64 * KIBIBYTE, { isHeadline: true }),
  file("file-1m", "file, 1 MiB", MEBIBYTE, { isHeadline: true }),
  file("file-100m", "file, 100 MiB", 100 * MEBIBYTE, {
    connections: [4],
    takesConnections: false,
  }),
  file("range", "range, 64 KiB of 1 MiB", MEBIBYTE, {
    request: { headers: { range: "bytes=524288-589823" } },
    expected: {
      status: 206,
      headers: { "content-range": "bytes 524288-589823/1048576" },
      content: () => fileContent(MEBIBYTE).slice(524288, 589824),
    },
  }),
];

interface Details {
  readonly variant?: string;
  readonly request?: Partial<HttpRequest>;
  readonly expected?: Partial<HttpExpectation>;
  readonly pipelined?: number;
  readonly closes?: boolean;
  readonly tls?: boolean;
  readonly connections?: readonly number[];
  readonly takesConnections?: boolean;
  readonly isHeadline?: boolean;
}

function http(
  name: string,
  title: string,
  path: string,
  answer: string,
  details: Details = {},
): Workload {
  const load: HttpLoadPlan = {
    kind: "http",
    request: {
      method: "GET",
      path,
      headers: {},
      content: "",
      ...details.request,
    },
    expected: {
      status: 200,
      headers: {},
      content: () => utf8(answer),
      ...details.expected,
    },
    pipelined: details.pipelined ?? 1,
    closes: details.closes ?? false,
  };
  const service: Service = {
    name: "http",
    variant: details.variant ?? name,
    tls: details.tls ?? false,
  };
  return {
    name,
    title,
    group: "HTTP",
    operation: "request",
    service,
    load,
    connections: details.connections ?? [64],
    takesConnections: details.takesConnections ?? true,
    isHeadline: details.isHeadline ?? false,
  };
}

function file(
  name: string,
  title: string,
  size: number,
  details: Details = {},
): Workload {
  const workload = http(name, title, "/file", "", {
    variant: "file",
    ...details,
    expected: { content: () => fileContent(size), ...details.expected },
  });
  const service = { ...workload.service, fileSize: size };
  return { ...workload, group: "Files", service };
}
