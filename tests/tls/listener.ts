import {
  DenoTlsHttpListener,
  type TlsHttpLimits,
} from "../../src/engine/deno/tls_http_listener.ts";
import type { HttpHandler } from "../../src/engine/engine.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";
import { type Entry, entry } from "./certificates.ts";

/** A listener with limits of its own, and the ports behind it. */
export interface TestListener extends AsyncDisposable {
  readonly listener: DenoTlsHttpListener;
  /** Where clients connect. */
  readonly port: number;
  /** Where the backends listen, in the order of the certificates. */
  readonly backendPorts: readonly number[];
}

/** Listens with short limits; without `handler` the answer is "ok". */
export function listenTls(
  limits: Partial<TlsHttpLimits> = {},
  tls: Entry[] = [entry("first"), entry("second", "second.test")],
  handler: HttpHandler = () => new Response("ok"),
): TestListener {
  const options = { hostname: "127.0.0.1", port: 0, tls, fetch: () => {} };
  const { listen } = resolveHttpOptions(options);
  const backendPorts: number[] = [];
  const { serve } = Deno;
  // Nothing outside needs to know the backends' ports, so nothing tells them.
  const spy = (...args: [Deno.ServeTcpOptions, Deno.ServeHandler]) => {
    const server = serve(...args);
    backendPorts.push((server.addr as Deno.NetAddr).port);
    return server;
  };
  Deno.serve = spy as typeof serve;
  try {
    const listener = new DenoTlsHttpListener(listen, listen.tls!, handler, {
      firstRequest: 60_000,
      stalledWrite: 60_000,
      linger: 2_000,
      waiting: 100,
      ...limits,
    });
    const { address } = listener;
    return {
      listener,
      port: address.transport === "tcp" ? address.port : 0,
      backendPorts,
      [Symbol.asyncDispose]: () => listener.stop(false),
    };
  } finally {
    Deno.serve = serve;
  }
}
