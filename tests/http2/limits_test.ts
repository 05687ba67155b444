import { assert, assertEquals } from "@std/assert";
import { serve, type Server } from "@jstime/serve";
import type { EngineFeatures, EngineName } from "../../src/engine/engine.ts";
import { engineTest } from "../tls/engines.ts";
import {
  ACK,
  block,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  frame,
  HEADERS,
  NO_ERROR,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  RawClient,
  REFUSED_STREAM,
  request,
  RST_STREAM,
  SETTINGS,
  statusOf,
  WINDOW_UPDATE,
  word,
} from "./raw_client.ts";

const common = { port: 0, hostname: "127.0.0.1", http2: true };

/** The limits are those of the native engine; Deno has its own. */
const hasLimits = (features: EngineFeatures) => features.limits;

/** Registers a test with a server that answers "hello", and counts. */
function limitTest(
  name: string,
  fn: (port: number, server: Server, seen: string[]) => Promise<void>,
  options: Record<string, unknown> = {},
): void {
  engineTest(name, async (engine: EngineName) => {
    const seen: string[] = [];
    await using server = serve({
      ...common,
      engine,
      fetch: async (request: Request) => {
        const { pathname } = new URL(request.url);
        seen.push(pathname);
        if (pathname === "/waits") await new Promise<void>(() => {});
        if (request.method === "POST") {
          return new Response(await request.text());
        }
        return new Response("hello");
      },
      ...options,
    });
    await fn(server.port!, server, seen);
    // Whatever the client did, others are served.
    await using other = await RawClient.connect(server.port!);
    await other.request(1, ...request("/other"));
    assertEquals(statusOf(await other.nextOf(HEADERS)), 200);
  }, hasLimits);
}

const headers = (stream: number, path: string) =>
  frame(HEADERS, END_STREAM | END_HEADERS, stream, block(...request(path)));

/** Sends pieces until the server takes no more, and tells how it ended. */
async function flood(
  client: RawClient,
  pieces: Iterable<Uint8Array>,
): Promise<number | undefined> {
  const end = client.end();
  for (const piece of pieces) {
    if (!await client.send(piece)) break;
  }
  return await end;
}

/** Several frames in one write. */
function join(...frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frames.reduce((sum, it) => sum + it.length, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

limitTest("who opens and resets streams is sent away", async (port, server) => {
  await using client = await RawClient.connect(port);
  const pieces = Array.from({ length: 5000 }, (_, index) => {
    const stream = index * 2 + 1;
    return join(
      headers(stream, "/waits"),
      frame(RST_STREAM, 0, stream, word(8)),
    );
  });
  assertEquals(await flood(client, pieces), ENHANCE_YOUR_CALM);
  assertEquals(server.pendingRequests, 0);
});

limitTest("also one by one", async (port, server, seen) => {
  await using client = await RawClient.connect(port);
  const end = client.end();
  let sent = 0;
  for (let index = 0; index < 2000; index++) {
    const stream = index * 2 + 1;
    const begun = seen.length;
    if (!await client.send(headers(stream, "/waits"))) break;
    // Until JavaScript has it, or there is nobody any more.
    for (let step = 0; step < 50 && seen.length === begun; step++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (seen.length === begun) break;
    sent++;
    if (!await client.send(frame(RST_STREAM, 0, stream, word(8)))) break;
  }
  assertEquals(await end, ENHANCE_YOUR_CALM);
  assert(sent >= 256 && sent < 1500, `${sent}`);
  while (server.pendingRequests > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

for (
  const [name, piece] of [
    ["pings", frame(PING, 0, 0, new Uint8Array(8))],
    ["settings", frame(SETTINGS, 0, 0)],
    ["priorities", frame(PRIORITY, 0, 1, [0, 0, 0, 0, 1])],
    ["acknowledged pings", frame(PING, ACK, 0, new Uint8Array(8))],
  ] as const
) {
  limitTest(`a flood of ${name} ends the connection`, async (port) => {
    await using client = await RawClient.connect(port);
    const many = join(...Array.from({ length: 1000 }, () => piece));
    const code = await flood(client, Array.from({ length: 100 }, () => many));
    assert(code === ENHANCE_YOUR_CALM, `${code}`);
  });
}

limitTest("so does a flood of empty content", async (port) => {
  await using client = await RawClient.connect(port);
  await client.send(
    frame(HEADERS, END_HEADERS, 1, block(...request("/", "POST"))),
  );
  const many = join(...Array.from({ length: 1000 }, () => frame(DATA, 0, 1)));
  const code = await flood(client, Array.from({ length: 100 }, () => many));
  assertEquals(code, ENHANCE_YOUR_CALM);
});

limitTest("so do header fields without end", async (port) => {
  await using client = await RawClient.connect(port);
  const fields = block(["x-name", "v".repeat(4000)]);
  const first = frame(HEADERS, END_STREAM, 1, block(...request("/")));
  const more = frame(CONTINUATION, 0, 1, fields);
  const code = await flood(client, [
    first,
    ...Array.from({ length: 5000 }, () => more),
  ]);
  assert(code === ENHANCE_YOUR_CALM || code === PROTOCOL_ERROR, `${code}`);
});

limitTest("and empty pieces of them", async (port) => {
  await using client = await RawClient.connect(port);
  const first = frame(HEADERS, END_STREAM, 1, block(...request("/")));
  const many = join(
    ...Array.from({ length: 1000 }, () => frame(CONTINUATION, 0, 1)),
  );
  const code = await flood(client, [
    first,
    ...Array.from({ length: 1000 }, () => many),
  ]);
  assertEquals(code, ENHANCE_YOUR_CALM);
});

limitTest("header fields have a deadline", async (port) => {
  await using client = await RawClient.connect(port);
  let isOver = false;
  const over = client.end().finally(() => isOver = true);
  const fields = frame(
    HEADERS,
    END_STREAM | END_HEADERS,
    1,
    new Uint8Array(9000),
  );
  for (let at = 0; at < fields.length && !isOver; at++) {
    await client.send(fields.subarray(at, at + 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert(isOver);
  await over;
}, { limits: { headTimeout: 1 } });

limitTest("so has the preface", async (port) => {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nS"));
  // What it gets meanwhile need not be more than the end.
  await new Response(connection.readable).bytes().catch(() => {});
}, { limits: { headTimeout: 1 } });

limitTest("too many header bytes are refused with 431", async (port) => {
  await using client = await RawClient.connect(port);
  const large: [string, string] = ["x-large", "v".repeat(15_000)];
  const fields = block(...request("/"), large);
  await client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, fields));
  const [answer] = await Promise.all([client.nextOf(HEADERS)]);
  // A literal, as 431 is in no table.
  assertEquals(statusOf(answer), undefined);
  await client.request(3, ...request("/"));
  assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
}, { limits: { headBytes: 8192 } });

limitTest("so are too many fields", async (port, _, seen) => {
  await using client = await RawClient.connect(port);
  const many = Array.from({ length: 101 }, (_, at) => [`x-${at}`, ""]);
  await client.request(1, ...request("/"), ...many as [string, string][]);
  assertEquals(statusOf(await client.nextOf(HEADERS)), undefined);
  assertEquals(seen.length, 0);
}, { limits: { headerCount: 100 } });

limitTest("more streams than may be open are refused", async (port, server) => {
  await using client = await RawClient.connect(port);
  const all = Array.from(
    { length: 129 },
    (_, at) => headers(at * 2 + 1, "/waits"),
  );
  await client.send(join(...all));
  assertEquals(await client.endOf(257), REFUSED_STREAM);
  while (server.pendingRequests < 128) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

for (
  const [name, ...fields] of [
    ["without a method", [":scheme", "http"], [":path", "/"], [
      ":authority",
      "a",
    ]],
    ["without a path", [":method", "GET"], [":scheme", "http"], [
      ":authority",
      "a",
    ]],
    ["without a scheme", [":method", "GET"], [":path", "/"], [
      ":authority",
      "a",
    ]],
    ["with an empty path", ...request("")],
    ["with a status", ...request("/"), [":status", "200"]],
    ["with an unknown pseudo-header", ...request("/"), [":what", "a"]],
    ["with a pseudo-header behind fields", ["a", "b"], ...request("/")],
    ["with a second path", ...request("/"), [":path", "/b"]],
    ["with upper case", ...request("/"), ["X-Name", "a"]],
    ["with Connection", ...request("/"), ["connection", "close"]],
    ["with Transfer-Encoding", ...request("/"), [
      "transfer-encoding",
      "chunked",
    ]],
    ["with Keep-Alive", ...request("/"), ["keep-alive", "a"]],
    ["with Upgrade", ...request("/"), ["upgrade", "h2c"]],
    ["with TE", ...request("/"), ["te", "gzip"]],
    ["with a line break", ...request("/"), ["x-name", "a\r\nb: c"]],
    ["with NUL", ...request("/"), ["x-name", "a\0"]],
    ["with a wrong length", ...request("/"), ["content-length", "5"]],
    ["with :protocol", ...request("/"), [":protocol", "websocket"]],
  ] as [string, ...[string, string][]][]
) {
  limitTest(`a request ${name} is malformed`, async (port, _, seen) => {
    await using client = await RawClient.connect(port);
    await client.request(1, ...fields);
    const isBroken = ["upper case", "line break", "NUL", "unknown"].some((it) =>
      name.includes(it)
    );
    if (isBroken) {
      // What is no field at all ends the connection.
      assertEquals(await client.end(), PROTOCOL_ERROR);
    } else {
      assertEquals(await client.endOf(1), PROTOCOL_ERROR);
      await client.request(3, ...request("/good"));
      assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
    }
    assertEquals(seen.filter((path) => path === "/").length, 0);
  });
}

for (
  const [name, ...fields] of [
    ["without a host", [":method", "GET"], [":scheme", "http"], [":path", "/"]],
    ["with two hosts", ...request("/"), ["host", "other"]],
    ["with user information", ...request("/", "GET", "user@a")],
    ["with a strange host", ...request("/", "GET", "a"), ["host", "a/b"]],
    ["with a target that is none", ...request("a")],
  ] as [string, ...[string, string][]][]
) {
  limitTest(`a request ${name} is refused`, async (port, _, seen) => {
    await using client = await RawClient.connect(port);
    await client.request(1, ...fields);
    const answer = await client.next();
    const isRefused = answer?.type === RST_STREAM ||
      answer?.type === HEADERS && statusOf(answer) === 400;
    assert(isRefused, `${answer?.type}`);
    assertEquals(seen.length, 0);
  });
}

limitTest("Host may say the same as :authority", async (port) => {
  await using client = await RawClient.connect(port);
  await client.request(1, ...request("/", "GET", "a.test:80"), [
    "host",
    "A.test:80",
  ]);
  assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
  const [, , , ...rest] = request("/");
  await client.request(
    3,
    [":method", "GET"],
    [":scheme", "http"],
    ...rest,
    ["host", "a.test"],
  );
  assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
});

limitTest("CONNECT is refused", async (port, _, seen) => {
  await using client = await RawClient.connect(port);
  await client.request(1, [":method", "CONNECT"], [":authority", "a:80"]);
  // 501, as over HTTP/1.1: a literal.
  const answer = await client.nextOf(HEADERS);
  assertEquals(statusOf(answer), undefined);
  assertEquals(seen.length, 0);
});

limitTest(
  "a client may take nothing for as long as it likes to wait",
  async (port) => {
    // SETTINGS_INITIAL_WINDOW_SIZE 0: no content may be sent.
    await using client = await RawClient.connect(port, [0, 4, 0, 0, 0, 0]);
    await client.request(1, ...request("/"));
    assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
    for (let index = 0; index < 4; index++) {
      await client.send(frame(WINDOW_UPDATE, 0, 1, word(1)));
      const { payload, flags } = await client.nextOf(DATA);
      assertEquals(payload[0], "hello".charCodeAt(index));
      assertEquals(payload.length, 1);
      assertEquals(flags & END_STREAM, 0);
    }
    await client.send(frame(WINDOW_UPDATE, 0, 1, word(100)));
    const { flags } = await client.nextOf(DATA);
    assertEquals(flags & END_STREAM, END_STREAM);
  },
);

limitTest("but not longer than the idle timeout", async (port) => {
  await using client = await RawClient.connect(port, [0, 4, 0, 0, 0, 0]);
  await client.request(1, ...request("/"));
  // Pings show that the client is there, not that it takes its answer.
  const timer = setInterval(
    () => client.send(frame(PING, 0, 0, new Uint8Array(8))),
    200,
  );
  const code = await client.endOf(1);
  clearInterval(timer);
  assert(code !== undefined && code !== NO_ERROR, `${code}`);
}, { idleTimeout: 1 });

limitTest("what is no frame ends the connection", async (port) => {
  const table = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  const bad = [
    frame(DATA, 0, 0, [1]),
    frame(HEADERS, END_STREAM | END_HEADERS, 2, block(...request("/"))),
    frame(HEADERS, END_STREAM | END_HEADERS, 1, table),
    frame(PING, 0, 0, [1]),
    frame(SETTINGS, 0, 0, [1]),
    frame(CONTINUATION, END_HEADERS, 1, [1]),
    frame(DATA, 0, 1, new Uint8Array(20_000)),
    frame(WINDOW_UPDATE, 0, 0, word(0x7fff_ffff)),
  ];
  for (const bytes of bad) {
    await using client = await RawClient.connect(port);
    const code = await flood(client, [bytes]);
    assert(code !== undefined && code !== NO_ERROR, `${bytes[3]}: ${code}`);
  }
});

limitTest("garbage ends the connection", async (port) => {
  let state = 7;
  for (let round = 0; round < 100; round++) {
    await using client = await RawClient.connect(port);
    const bytes = new Uint8Array(2000);
    for (let index = 0; index < bytes.length; index++) {
      state = Math.imul(state, 1664525) + 1013904223 | 0;
      bytes[index] = state >>> 24;
    }
    // Sometimes it begins well.
    const begin = round % 2 === 0 ? [] : [headers(1, "/waits")];
    const end = client.end();
    await client.send(...begin, bytes);
    await client.closeWrite().catch(() => {});
    await end;
  }
});

limitTest("a client that ends its side leaves", async (port, server) => {
  await using client = await RawClient.connect(port);
  for (let index = 0; index < 10; index++) {
    await client.request(index * 2 + 1, ...request("/waits"));
  }
  while (server.pendingRequests < 10) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await client.closeWrite();
  while (server.pendingRequests > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

engineTest("without the option there is no HTTP/2", async (engine) => {
  await using server = serve({
    port: 0,
    hostname: "127.0.0.1",
    engine,
    fetch: () => new Response("hello"),
  });
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port!,
  });
  await connection.write(
    new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  );
  const text = await new Response(connection.readable).text();
  assertEquals(text.slice(0, 12), "HTTP/1.1 505");
}, hasLimits);

engineTest("what waits for JavaScript is limited", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    maxPendingRequests: 10,
    fetch: () => {
      const end = Date.now() + 500;
      while (Date.now() < end);
      return new Response("hello");
    },
  });
  await using client = await RawClient.connect(server.port!);
  await client.send(
    join(...Array.from({ length: 100 }, (_, at) => headers(at * 2 + 1, "/"))),
  );
  let [served, shed] = [0, 0];
  while (served + shed < 100) {
    const answer = await client.nextOf(HEADERS);
    // 503 is in no table.
    if (statusOf(answer) === 200) served++;
    else shed++;
  }
  assertEquals(served, 10);
  assertEquals(shed, 90);
}, hasLimits);
