/**
 * The server against `ws`, the client that most Node.js programs use: stricter
 * than browsers, and it can ping.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type EventEmitter, once } from "node:events";
import { assertEquals } from "@std/assert";
import {
  serve,
  type Server,
  type ServerWebSocket,
  type WebSocketDeflateOptions,
} from "@jstime/serve";
import type { Engine } from "../../src/engine/engine.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";
import { testOnEngines } from "./engines.ts";
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
  perMessageDeflate?: boolean | Record<string, boolean | number>;
  rejectUnauthorized?: boolean;
}

const WebSocket: new (
  url: string,
  options?: readonly string[] | ClientOptions,
) => WebSocket = ws.WebSocket as never;

/** An echo that tells of everything that happens. */
function echo(
  { name }: Engine,
  log: string[],
  perMessageDeflate: boolean | WebSocketDeflateOptions = false,
): Server {
  return serve({
    engine: name,
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response(null, { status: 400 }),
    websocket: {
      perMessageDeflate,
      message: (socket: ServerWebSocket, message) => {
        socket.send(message, true);
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

testOnEngines(
  "ws: text and bytes of all sizes come back as they went",
  async (engine) => {
    const log: string[] = [];
    const server = echo(engine, log);
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
    await server.stop();
    assertEquals(log, ["4001 enough"]);
  },
);

testOnEngines("ws: fragments, and pings between them", async (engine) => {
  const server = echo(engine, []);
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

testOnEngines(
  "ws: the first of its subprotocols is accepted",
  async (engine) => {
    const server = echo(engine, []);
    const client = await opened(
      new WebSocket(urlOf(server), ["graphql-transport-ws", "graphql-ws"]),
    );
    assertEquals(client.protocol, "graphql-transport-ws");
    client.close();
    await closed(client);
    await server.stop();
  },
);

testOnEngines("ws: an offer to compress does no harm", async (engine) => {
  const server = echo(engine, []);
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

/** What the server is set to, what `ws` offers, and what they agree on. */
const COMPRESSIONS: [
  server: WebSocketDeflateOptions | true,
  client: Record<string, boolean | number>,
  agreed: string,
][] = [
  [
    true,
    {},
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  ],
  [
    { compress: "dedicated", decompress: "dedicated" },
    {},
    "permessage-deflate",
  ],
  [
    { compress: "dedicated", decompress: "dedicated" },
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  ],
  [
    { compress: "dedicated", decompress: "dedicated" },
    { serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
    "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
  ],
];

for (const [server, client, agreed] of COMPRESSIONS) {
  const setting = JSON.stringify(server);
  testOnEngines(
    `ws: compressed by ${setting}, offered ${JSON.stringify(client)}`,
    (engine) => compresses(engine, server, client, agreed),
    { isFor: ({ features }) => features.webSocketDeflate },
  );
}

async function compresses(
  engine: Engine,
  setting: WebSocketDeflateOptions | true,
  offer: Record<string, boolean | number>,
  agreed: string,
): Promise<void> {
  const server = echo(engine, [], setting);
  const client = new WebSocket(urlOf(server), {
    perMessageDeflate: { threshold: 0, ...offer },
  });
  const [[{ headers }]] = await Promise.all([
    once(client, "upgrade"),
    once(client, "open"),
  ]);
  assertEquals(
    parametersOf(headers["sec-websocket-extensions"]),
    parametersOf(agreed),
  );
  const before = server.metrics().bytesWritten!;
  const text = "All work and no play makes a dull message. é🫖 ";
  for (const length of [0, 1, 10, 1000, 200_000]) {
    const message = text.repeat(Math.ceil(length / text.length))
      .slice(0, length);
    client.send(message);
    const [data, isBinary] = await once(client, "message");
    assertEquals(isBinary, false);
    assertEquals(String(data) === message, true, `text of ${length}`);
    client.send(Buffer.from(message));
    const [bytes] = await once(client, "message");
    assertEquals(Buffer.from(message).equals(bytes), true, `${length} bytes`);
  }
  const written = server.metrics().bytesWritten! - before;
  assertEquals(written < 50_000, true, `${written} bytes were sent`);
  client.close();
  await closed(client);
  await server.stop();
}

/** An extension and its parameters, in alphabetical order. */
function parametersOf(extensions: string): string[] {
  return extensions.split(";").map((part) => part.trim()).toSorted();
}

testOnEngines("ws: pings and pongs between both sides", async (engine) => {
  const log: string[] = [];
  const server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => void server.upgrade(request),
    websocket: {
      ping: (socket: ServerWebSocket, data) => {
        log.push(`ping ${data}`);
        socket.ping("from the server");
      },
      pong: (_, data) => void log.push(`pong ${data}`),
    },
  });
  const client = await opened(new WebSocket(urlOf(server)));
  client.ping("from the client");
  const [[answer], [question]] = await Promise.all([
    once(client, "pong"),
    once(client, "ping"),
  ]);
  assertEquals(String(answer), "from the client");
  assertEquals(String(question), "from the server");
  client.close();
  await closed(client);
  await server.stop();
  assertEquals(log, ["ping from the client", "pong from the server"]);
}, { isFor: ({ features }) => features.webSocketPings });

testOnEngines("ws: terminate is 1006 for the server", async (engine) => {
  const log: string[] = [];
  const server = echo(engine, log);
  const client = await opened(new WebSocket(urlOf(server)));
  client.terminate();
  await closed(client);
  await server.stop();
  assertEquals(log, ["1006 "]);
});

const tls = {
  cert: await Deno.readTextFile(
    new URL("../fixtures/tls/cert.pem", import.meta.url),
  ),
  key: await Deno.readTextFile(
    new URL("../fixtures/tls/key.pem", import.meta.url),
  ),
};

function canServeTls(engine: Engine): boolean {
  const { listen } = resolveHttpOptions({ tls, fetch: () => new Response() });
  return engine.unable(listen) === undefined;
}

testOnEngines("ws: over TLS", async (engine) => {
  const server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    tls,
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
}, { isFor: canServeTls });

testOnEngines(
  "ws: a request that is not upgraded is an unexpected response",
  async (engine) => {
    const server = serve({
      engine: engine.name,
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
  },
);

testOnEngines("ws: a server that stops closes with 1001", async (engine) => {
  const server = echo(engine, []);
  const client = await opened(new WebSocket(urlOf(server)));
  const stopped = server.stop(true);
  const [code] = await closed(client);
  assertEquals(code, 1001);
  await stopped;
});
