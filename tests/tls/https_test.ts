import { assert, assertEquals, assertThrows } from "@std/assert";
import { file, serve } from "@jstime/serve";
import { loadNativeEngine } from "../../src/engine/native/engine.ts";
import { entry } from "./certificates.ts";
import { digest, httpClient, HttpsConnection, noise } from "./client.ts";
import { engineTest } from "./engines.ts";

const LENGTH = 24 * 1024 * 1024 + 5;
const common = { port: 0, hostname: "127.0.0.1", tls: entry("first") };
const hasNative = loadNativeEngine() !== undefined;

/** Runs `use` with the path of a file of noise. */
async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, ReadableStream.from(noise(LENGTH)));
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

/** A certificate with a key that rustls with ring has no use for. */
function unusual(): { cert: string; key: string } {
  const folder = "../../src/engine/native/helper/src/tls/fixtures/";
  const read = (name: string) =>
    Deno.readTextFileSync(new URL(folder + name, import.meta.url));
  return { cert: read("p521_cert.pem"), key: read("p521_pkcs8.pem") };
}

/** Passes bytes on, those of the client one by one. */
async function dribble(client: Deno.Conn, server: Deno.Conn): Promise<void> {
  const back = server.readable.pipeTo(client.writable).catch(() => {});
  try {
    for await (const bytes of client.readable) {
      for (let index = 0; index < bytes.length; index++) {
        await server.write(bytes.subarray(index, index + 1));
      }
    }
  } finally {
    await server.closeWrite().catch(() => {});
    await back;
  }
}

engineTest(
  "a large file arrives whole, and so do its parts",
  (engine) =>
    withFile(async (path) => {
      await using server = serve({
        ...common,
        engine,
        fetch: () => new Response(file(path)),
        routes: { "/static": new Response(file(path)) },
      });
      using client = httpClient({ http2: false });
      const base = `https://localhost:${server.port}`;
      const expected = await digest(noise(LENGTH));
      for (const target of ["/", "/static"]) {
        const response = await fetch(base + target, { client });
        assertEquals(response.headers.get("content-length"), `${LENGTH}`);
        assertEquals(await digest(response.body!), expected);
      }
      const headers = { range: "bytes=20000000-20099999" };
      const response = await fetch(base, { client, headers });
      assertEquals(response.status, 206);
      const content = await Deno.readFile(path);
      const part = content.subarray(20_000_000, 20_100_000);
      assertEquals(
        await digest(response.body!),
        await digest(ReadableStream.from([part])),
      );
    }),
);

engineTest(
  "a client may stop reading a file, and go on",
  (engine) =>
    withFile(async (path) => {
      await using server = serve({
        ...common,
        engine,
        fetch: () => new Response(file(path)),
        routes: { "/small": new Response("small") },
      });
      using client = httpClient({ http2: false });
      const base = `https://localhost:${server.port}`;
      const responses = await Promise.all(
        Array.from({ length: 4 }, () => fetch(base, { client })),
      );
      // Nobody reads, and others are served.
      for (let count = 0; count < 20; count++) {
        const small = await fetch(`${base}/small`, { client });
        assertEquals(await small.text(), "small");
      }
      const expected = await digest(noise(LENGTH));
      for (const response of responses) {
        assertEquals(await digest(response.body!), expected);
      }
    }),
);

engineTest("requests may come all at once", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: (request) => new Response(new URL(request.url).pathname),
  });
  await using connection = await HttpsConnection.open(server.port!);
  const targets = Array.from({ length: 300 }, (_, index) => `/${index}`);
  const requests = targets.map((target) =>
    `GET ${target} HTTP/1.1\r\nHost: first.test\r\n\r\n`
  );
  const sending = connection.send(requests.join(""));
  for (const target of targets) {
    assertEquals(await connection.receive(), target);
  }
  await sending;
});

engineTest("the client's bytes may come one by one", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: async (request) => new Response(await request.text()),
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const relay = (async () => {
    using client = await listener.accept();
    const { port } = server;
    using backend = await Deno.connect({ hostname: "127.0.0.1", port: port! });
    await dribble(client, backend).catch(() => {});
  })().catch(() => {});
  {
    await using connection = await HttpsConnection.open(listener.addr.port);
    const head = "POST / HTTP/1.1\r\nHost: first.test\r\nContent-Length: 5";
    await connection.send(`${head}\r\n\r\nhello`);
    assertEquals(await connection.receive(), "hello");
  }
  await relay;
});

engineTest(
  "HTTP and HTTPS beside each other have their own URLs",
  async (engine) => {
    const fetchUrl = (request: Request) => new Response(request.url);
    await using plain = serve({
      ...common,
      tls: undefined,
      engine,
      fetch: fetchUrl,
    });
    await using secure = serve({ ...common, engine, fetch: fetchUrl });
    await using connection = await HttpsConnection.open(secure.port!);
    for (let count = 0; count < 3; count++) {
      assertEquals(await connection.get("/a"), "https://first.test/a");
      const response = await fetch(`http://127.0.0.1:${plain.port}/a`);
      assertEquals(await response.text(), `http://127.0.0.1:${plain.port}/a`);
    }
  },
);

engineTest("clients without a complete handshake are cut", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    idleTimeout: 0,
    limits: { headTimeout: 0.2 },
    fetch: () => new Response("ok"),
  });
  await using established = await HttpsConnection.open(server.port!);
  for (const begin of [[], [22], [22, 3, 1, 2, 0, 1]]) {
    using conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port!,
    });
    await conn.write(Uint8Array.from(begin));
    assertEquals(await conn.read(new Uint8Array(100)), null);
  }
  assertEquals(await established.get("/"), "ok");
  assertEquals(server.metrics().timeouts, 3);
}, ({ limits }) => limits);

engineTest("plain HTTP gets an alert", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: () => new Response("ok"),
  });
  using conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: server.port!,
  });
  const request = "GET / HTTP/1.1\r\nHost: first.test\r\n\r\n";
  await conn.write(new TextEncoder().encode(request));
  const answer = new Uint8Array(100);
  const count = await conn.read(answer);
  // Fatal, and that it cannot be decoded (RFC 8446, section 6).
  assertEquals([...answer.subarray(0, count!)], [21, 3, 3, 0, 2, 2, 50]);
  assertEquals(await conn.read(answer), null);
});

Deno.test({
  name: "unusual keys are left to the deno engine",
  ignore: !hasNative,
  async fn() {
    const options = { ...common, fetch: () => new Response("ok") };
    {
      await using server = serve({
        ...options,
        engine: "auto",
        tls: unusual(),
      });
      assertEquals(server.engine, "deno");
    }
    const error = assertThrows(
      () => serve({ ...options, engine: "native", tls: unusual() }),
      Error,
      'Cannot use engine "native": a certificate or its key is of a kind',
    );
    assertEquals(
      (error as Error & { code?: string }).code,
      "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
    );
    await using server = serve({ ...options, engine: "native" });
    assertThrows(
      () => server.reload({ tls: unusual() }),
      Error,
      "Cannot reload tls: a certificate or its key is of a kind",
    );
    await using connection = await HttpsConnection.open(server.port!);
    assertEquals(await connection.get("/"), "ok");
  },
});

Deno.test({
  name: "auto serves HTTPS with the native engine",
  ignore: !hasNative,
  async fn() {
    const fetch = () => new Response("ok");
    await using server = serve({ ...common, engine: "auto", fetch });
    assertEquals(server.engine, "native");
    assert(server.url.href.startsWith("https://"));
  },
});
