/**
 * Tests that need the helper.
 *
 * @module
 */

import type {
  Engine,
  HttpHandler,
  HttpListener,
  HttpListenPlan,
} from "../../src/engine/engine.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";

/** The native engine; undefined if it cannot be used here. */
export const native: Engine | undefined = loadNativeEngine();

/** Registers a test that is shown as skipped where there is no helper. */
export function nativeTest(
  name: string,
  fn: (engine: Engine) => Promise<void> | void,
): void {
  const reason = nativeEngineFailure()?.reason;
  Deno.test({
    name: reason === undefined ? name : `${name} [skipped: ${reason}]`,
    ignore: reason !== undefined,
    fn: () => fn(native!),
  });
}

/** A plan to listen on 127.0.0.1, at a port that is free. */
export const plan: HttpListenPlan = {
  address: {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 0,
    reusePort: false,
    ipv6Only: false,
  },
  tls: undefined,
  maxRequestBodySize: 1024 * 1024,
  idleTimeout: 10,
  maxPendingRequests: 1000,
  limits: {
    headBytes: 64 * 1024,
    headerCount: 100,
    targetBytes: 16 * 1024,
    connections: 1000,
    headTimeout: 10,
    contentRate: 0,
  },
  health: undefined,
  metricsRoute: undefined,
};

/** Listens with `plan`; the second value is where. */
export function listen(
  engine: Engine,
  handler: HttpHandler,
  changes: Partial<HttpListenPlan> = {},
): [listener: HttpListener, url: string] {
  const listener = engine.listenHttp({ ...plan, ...changes }, handler);
  const { address } = listener;
  const port = address.transport === "tcp" ? address.port : 0;
  return [listener, `http://127.0.0.1:${port}`];
}

/** How many threads and descriptors this process has; Linux only. */
export function resources(): { threads: number; descriptors: number } {
  const count = (path: string) => Array.from(Deno.readDirSync(path)).length;
  return {
    threads: count("/proc/self/task"),
    descriptors: count("/proc/self/fd"),
  };
}
