import { assertEquals, assertThrows } from "@std/assert";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import type { Engine, StaticEntry } from "../../src/engine/engine.ts";
import { HttpServer } from "../../src/http/http_server.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";

/** What `setStatic` was given so far, as paths. */
interface Told {
  readonly paths: string[];
}

/** The deno engine, but it says that it answers without JavaScript. */
function serveWith(options: object, told: Told): HttpServer {
  const engine: Engine = {
    ...denoEngine,
    features: { ...denoEngine.features, stallProof: true },
  };
  const plan = resolveHttpOptions({
    hostname: "127.0.0.1",
    port: 0,
    ...options,
  });
  return new HttpServer(plan, engine, (handler) => {
    const listener = engine.listenHttp(plan.listen, handler);
    listener.setStatic = (entries: readonly StaticEntry[]) =>
      void told.paths.push(entries.map((entry) => entry.path).join(" "));
    return listener;
  });
}

const fetch = () => new Response("fetch");
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("static answers are published, and taken back by reload", async () => {
  const told: Told = { paths: [] };
  const server = serveWith({ routes: { "/a": new Response("a") } }, told);
  await turn();
  assertEquals(told.paths, ["/a"]);
  server.reload({ fetch });
  await turn();
  assertEquals(told.paths, ["/a"]);
  server.reload({ routes: { "/a": fetch } });
  // Before anybody could be answered by the new handlers.
  assertEquals(told.paths, ["/a", ""]);
  server.reload({ routes: { "/b": new Response("b") } });
  await turn();
  assertEquals(told.paths, ["/a", "", "/b"]);
  assertThrows(() => server.reload({ routes: { "b": fetch } }), TypeError);
  await turn();
  assertEquals(told.paths, ["/a", "", "/b"]);
  await server.stop();
});
