import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serve } from "@jstime/serve";
import { engineTest } from "./engines.ts";
import { certificateOf, entry } from "./certificates.ts";
import { request as httpsRequest } from "node:https";
import { digest, httpClient, HttpsConnection, noise } from "./client.ts";

const MEBIBYTE = 1024 * 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const common = { port: 0, hostname: "127.0.0.1", tls: [entry("first")] };

engineTest("requests look as if there were no relay", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: (request, server) =>
      Response.json({ url: request.url, ip: server.requestIP(request) }),
  });
  assertEquals(server.protocol, "https");
  assertEquals(server.url.href, `https://127.0.0.1:${server.port}/`);
  for (const http2 of [true, false]) {
    using client = httpClient({ http2 });
    const url = `https://localhost:${server.port}/a/../b?c=%20`;
    const response = await fetch(url, { client });
    const { url: seen, ip } = await response.json();
    assertEquals(seen, `https://localhost:${server.port}/b?c=%20`);
    assertEquals([ip.address, ip.family], ["127.0.0.1", "IPv4"]);
  }
  await using connection = await HttpsConnection.open(server.port!);
  const { port } = connection.tls.localAddr as Deno.NetAddr;
  const { url, ip } = JSON.parse(await connection.get("/x"));
  assertEquals(url, "https://first.test/x");
  assertEquals(ip, { address: "127.0.0.1", port, family: "IPv4" });
});

engineTest(
  "a request without Host has the server's port in its URL",
  async (engine) => {
    const host = engine === "deno" ? "localhost" : "127.0.0.1";
    for (const tls of [entry("first"), [entry("first")]]) {
      await using server = serve({
        ...common,
        engine,
        tls,
        fetch: async (request) =>
          new Response(`${request.url} ${await request.text()}`),
      });
      await using connection = await HttpsConnection.open(server.port!);
      await connection.send(
        "POST /x?y HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody",
      );
      assertStringIncludes(
        await connection.rest(),
        `\r\n\r\nhttps://${host}:${server.port}/x?y body`,
      );
    }
  },
);

engineTest("large content arrives whole, both ways", async (engine) => {
  const length = 24 * MEBIBYTE + 5;
  await using server = serve({
    ...common,
    engine,
    routes: {
      "/up": {
        POST: async (request) => new Response(await digest(request.body!)),
      },
      "/down": () => new Response(ReadableStream.from(noise(length))),
      "/echo": { POST: (request) => new Response(request.body) },
    },
  });
  const expected = await digest(noise(length));
  for (const http2 of [true, false]) {
    using client = httpClient({ http2 });
    const base = `https://localhost:${server.port}`;
    const upload = () => ({
      method: "POST",
      body: ReadableStream.from(noise(length)),
      client,
    });
    const up = await fetch(`${base}/up`, upload());
    assertEquals(await up.text(), expected);
    const down = await fetch(`${base}/down`, { client });
    assertEquals(await digest(down.body!), expected);
    const echo = await fetch(`${base}/echo`, upload());
    assertEquals(await digest(echo.body!), expected);
  }
});

engineTest(
  "a slow reader slows the producer and loses nothing",
  async (engine) => {
    const total = 64 * MEBIBYTE;
    const chunk = MEBIBYTE;
    let produced = 0;
    async function* produce() {
      for await (const bytes of noise(total, chunk)) {
        produced += bytes.length;
        yield bytes;
      }
    }
    await using server = serve({
      ...common,
      engine,
      fetch: () => new Response(ReadableStream.from(produce())),
    });
    using client = httpClient({ http2: false });
    const response = await fetch(`https://localhost:${server.port}/`, {
      client,
    });
    const reader = response.body!.getReader();
    const { value: first } = await reader.read();
    // Until nothing moves any more; then most of it has not been produced.
    for (let before = -1; before !== produced;) {
      before = produced;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert(produced < total / 2, `${produced} bytes were produced`);
    async function* all() {
      for (let next = first; next !== undefined;) {
        yield next;
        ({ value: next } = await reader.read());
      }
    }
    assertEquals(await digest(all()), await digest(noise(total, chunk)));
  },
);

engineTest("an answer before the end of an upload arrives", async (engine) => {
  const length = 16 * MEBIBYTE;
  await using server = serve({
    ...common,
    engine,
    maxRequestBodySize: 1000,
    fetch: async (request) => new Response(await request.text()),
  });
  await using connection = await HttpsConnection.open(server.port!);
  await connection.send(
    `POST / HTTP/1.1\r\nHost: first.test\r\nContent-Length: ${length}\r\n\r\n`,
  );
  const sending = connection.send("x".repeat(length)).catch(() => {});
  assertStringIncludes(await connection.rest(), "HTTP/1.1 413 ");
  await sending;
});

engineTest("a client that leaves aborts the request", async (engine) => {
  const arrived = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using server = serve({
    ...common,
    engine,
    fetch: (request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      arrived.resolve();
      return aborted.promise.then(() => new Response());
    },
  });
  {
    await using connection = await HttpsConnection.open(server.port!);
    await connection.send("GET / HTTP/1.1\r\nHost: first.test\r\n\r\n");
    await arrived.promise;
  }
  await aborted.promise;
});

engineTest("a response that fails is cut, and only that", async (engine) => {
  const error = console.error;
  console.error = () => {};
  try {
    await using server = serve({
      ...common,
      engine,
      routes: {
        "/": new Response("fine"),
        "/broken": () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                controller.enqueue(bytesOf("part"));
                controller.error(new Error("Broken"));
              },
            }, { highWaterMark: 0 }),
          ),
      },
    });
    await using other = await HttpsConnection.open(server.port!);
    assertEquals(await other.get("/"), "fine");
    await using connection = await HttpsConnection.open(server.port!);
    await connection.send("GET /broken HTTP/1.1\r\nHost: first.test\r\n\r\n");
    const text = await connection.rest().catch(() => "");
    assert(!text.endsWith("0\r\n\r\n"), text);
    assertEquals(await other.get("/"), "fine");
  } finally {
    console.error = error;
  }
});

engineTest("TLS over a Unix socket", async (engine) => {
  const folder = await Deno.makeTempDir();
  const unix = `${folder}/socket`;
  try {
    for (const tls of [entry("first"), [entry("first")]]) {
      await using server = serve({
        engine,
        unix,
        tls,
        fetch: (request, server) =>
          Response.json([request.url, server.requestIP(request)]),
      });
      assertEquals(server.protocol, "https");
      const answer = await getOverUnix(unix, "/x");
      assertEquals(JSON.parse(answer), ["https://localhost/x", null]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

engineTest("WebSockets go through", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: (request, server) => {
      server.upgrade(request);
    },
    websocket: {
      message(socket, message) {
        socket.send(`${socket.remoteAddress} ${message}`);
      },
    },
  });
  using client = httpClient({ http2: false });
  const url = `wss://localhost:${server.port}/`;
  const socket = new WebSocket(url, { client } as unknown as string);
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => resolve(data);
  assertEquals(await promise, "127.0.0.1 hello");
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
});

function getOverUnix(socketPath: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ca = certificateOf("first");
  const headers = { host: "localhost", connection: "close" };
  const options = { socketPath, path, ca, servername: "localhost", headers };
  httpsRequest(options, async (response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) chunks.push(chunk);
    resolve(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text());
  }).on("error", reject).end();
  return promise;
}
