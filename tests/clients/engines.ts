/**
 * Servers that programs of others talk to.
 *
 * @module
 */
import type { Engine } from "../../src/engine/engine.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";
import { entry } from "../tls/certificates.ts";

/** Whether an engine speaks HTTP/2. */
export function canServeHttp2(engine: Engine): boolean {
  const { listen } = resolveHttpOptions({
    tls: entry("first"),
    http2: true,
    fetch: () => new Response(),
  });
  return engine.unable(listen) === undefined;
}
