import { assertEquals } from "@std/assert";
import { serve, type ServerWebSocket } from "@jstime/serve";
import { entry } from "../tls/certificates.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { canServeHttp2 } from "./engines.ts";
import { packages } from "./packages.ts";
import { runProgram } from "./run_program.ts";

const installed = await packages("undici", ["undici@7.30.2"]);
const missing = "reason" in installed ? installed.reason : undefined;
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;
const folder = "folder" in installed ? installed.folder : "";

async function run(name: string, url: URL): Promise<void> {
  const path = new URL(`programs/${name}.mjs`, import.meta.url).pathname;
  const output = await runProgram("node", [path, folder, `${url}`]);
  assertEquals(output, { code: 0, text: "all is well\n", errors: "" });
}

testOnEngines(
  "undici: keep-alive, pipelining, uploads, aborts, WebSockets" + note,
  async ({ name: engine }) => {
    let aborted = 0;
    const server = serve({
      engine,
      port: 0,
      hostname: "127.0.0.1",
      routes: {
        "/static": new Response("static"),
        "/port": (request, server) =>
          new Response(String(server.requestIP(request)?.port)),
        "/number/:number": ({ params }) => new Response(params.number),
        "/slow/:number": async ({ params }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return new Response(params.number);
        },
        "/echo": async (request) => new Response(await request.bytes()),
        "/endless": (request) => {
          request.signal.addEventListener("abort", () => aborted++);
          return new Response(
            new ReadableStream({
              async pull(controller) {
                await new Promise((resolve) => setTimeout(resolve, 1));
                controller.enqueue(new Uint8Array(10_000));
              },
            }),
          );
        },
        "/socket": (request, server) => void server.upgrade(request),
      },
      websocket: {
        perMessageDeflate: true,
        message: (socket: ServerWebSocket, message) => {
          socket.send(message, true);
        },
      },
    });
    await run("undici_client", server.url);
    await server.stop();
    assertEquals(aborted, 1);
  },
  { ignore: missing !== undefined },
);

testOnEngines(
  "undici: HTTP/2" + note,
  async ({ name: engine }) => {
    const server = serve({
      engine,
      port: 0,
      hostname: "127.0.0.1",
      tls: entry("first"),
      http2: true,
      fetch: async (request, server) =>
        new Response(await request.bytes(), {
          headers: { "x-port": String(server.requestIP(request)?.port) },
        }),
    });
    await run("undici_http2_client", server.url);
    await server.stop(true);
  },
  { ignore: missing !== undefined, isFor: canServeHttp2 },
);
