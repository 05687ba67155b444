/**
 * The server against `ws`, the client that most Node.js programs use: stricter
 * than browsers, and it can ping.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type EventEmitter, once } from "node:events";
import { assertEquals } from "@std/assert";
import { serve, type Server, type ServerWebSocket } from "@jstime/serve";
// Its types bring others for all of Node.js along, so the few used are below.
import * as ws from "npm:ws@^8.18.0";

interface WebSocket extends EventEmitter {
  readonly protocol: string;
  readonly extensions: string;
  send(data: string | Uint8Array, options?: { fin: boolean }): void;
  ping(data: string): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

interface ClientOptions {
  perMessageDeflate?: boolean;
  rejectUnauthorized?: boolean;
}

const WebSocket: new (
  url: string,
  options?: readonly string[] | ClientOptions,
) => WebSocket = ws.WebSocket as never;

/** An echo that tells of everything that happens. */
function echo(log: string[]): Server {
  return serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response(null, { status: 400 }),
    websocket: {
      message: (socket: ServerWebSocket, message) => {
        socket.send(message);
      },
      close: (_, code, reason) => void log.push(`${code} ${reason}`),
    },
  });
}

function urlOf({ port }: Server): string {
  return `ws://127.0.0.1:${port}/`;
}

async function opened(client: WebSocket): Promise<WebSocket> {
  await once(client, "open");
  return client;
}

/** Ends a client and waits until it is gone. */
async function closed(client: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(client, "close");
  return [code, String(reason)];
}

Deno.test("ws: text and bytes of all sizes come back as they went", async () => {
  const log: string[] = [];
  const server = echo(log);
  const client = await opened(new WebSocket(urlOf(server)));
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
    const bytes = Buffer.alloc(size, "abcdefg");
    client.send(bytes);
    const [data, isBinary] = await once(client, "message");
    assertEquals(isBinary, true);
    assertEquals(bytes.equals(data), true, `${size} bytes`);

    client.send(bytes.toString());
    const [text, isStillBinary] = await once(client, "message");
    assertEquals(isStillBinary, false);
    assertEquals(bytes.equals(text), true, `text of ${size} bytes`);
  }
  client.close(4001, "enough");
  assertEquals(await closed(client), [4001, "enough"]);
  assertEquals(log, ["4001 enough"]);
  await server.stop();
});

Deno.test("ws: fragments, and pings between them", async () => {
  const server = echo([]);
  const client = await opened(new WebSocket(urlOf(server)));
  client.send("one ", { fin: false });
  client.ping("are you there?");
  const [pong] = await once(client, "pong");
  assertEquals(String(pong), "are you there?");
  client.send("two", { fin: true });
  const [data] = await once(client, "message");
  assertEquals(String(data), "one two");
  client.close();
  assertEquals(await closed(client), [1005, ""]);
  await server.stop();
});

Deno.test("ws: the first of its subprotocols is accepted", async () => {
  const server = echo([]);
  const client = await opened(
    new WebSocket(urlOf(server), ["graphql-transport-ws", "graphql-ws"]),
  );
  assertEquals(client.protocol, "graphql-transport-ws");
  client.close();
  await closed(client);
  await server.stop();
});

Deno.test("ws: an offer to compress does no harm", async () => {
  const server = echo([]);
  const client = await opened(
    new WebSocket(urlOf(server), { perMessageDeflate: true }),
  );
  assertEquals(client.extensions, "");
  client.send("x".repeat(10_000));
  const [data] = await once(client, "message");
  assertEquals(String(data).length, 10_000);
  client.close();
  await closed(client);
  await server.stop();
});

Deno.test("ws: terminate is 1006 for the server", async () => {
  const log: string[] = [];
  const server = echo(log);
  const client = await opened(new WebSocket(urlOf(server)));
  client.terminate();
  await closed(client);
  await server.stop();
  assertEquals(log, ["1006 "]);
});

Deno.test("ws: over TLS", async () => {
  const tls = new URL("../fixtures/tls/", import.meta.url);
  const server = serve({
    port: 0,
    hostname: "127.0.0.1",
    tls: {
      cert: await Deno.readTextFile(new URL("cert.pem", tls)),
      key: await Deno.readTextFile(new URL("key.pem", tls)),
    },
    fetch: (request, server) => void server.upgrade(request),
    websocket: {
      open: (socket: ServerWebSocket) => void socket.send("hello"),
      message: (socket: ServerWebSocket, message) => {
        socket.send(`${message}`);
        socket.terminate();
      },
    },
  });
  const client = new WebSocket(`wss://127.0.0.1:${server.port}/`, {
    rejectUnauthorized: false,
  });
  const [greeting] = await once(client, "message");
  assertEquals(String(greeting), "hello");
  client.send("secret");
  const [data] = await once(client, "message");
  assertEquals(String(data), "secret");
  assertEquals(await closed(client), [1006, ""]);
  await server.stop();
});

Deno.test("ws: a request that is not upgraded is an unexpected response", async () => {
  const server = serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("no", { status: 403 }),
    websocket: {},
  });
  const client = new WebSocket(urlOf(server));
  const [request, response] = await once(client, "unexpected-response");
  assertEquals(response.statusCode, 403);
  request.destroy();
  await server.stop(true);
});

Deno.test("ws: a server that stops closes with 1001", async () => {
  const server = echo([]);
  const client = await opened(new WebSocket(urlOf(server)));
  const stopped = server.stop(true);
  const [code] = await closed(client);
  assertEquals(code, 1001);
  await stopped;
});
