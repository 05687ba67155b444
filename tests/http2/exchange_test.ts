import { assert, assertEquals } from "@std/assert";
import { file, serve, type Server } from "@jstime/serve";
import type { EngineName } from "../../src/engine/engine.ts";
import { entry } from "../tls/certificates.ts";
import { httpClient } from "../tls/client.ts";
import { engineTest } from "../tls/engines.ts";
import { hash, Http2Client, noise, receive } from "./client.ts";

const common = { port: 0, hostname: "127.0.0.1", http2: true };
type Options = Omit<Parameters<typeof serve>[0], "port" | "unix">;

/** Runs `use` without TLS and with it. */
async function withServer(
  engine: EngineName,
  options: Record<string, unknown>,
  use: (client: Http2Client, server: Server) => Promise<void>,
): Promise<void> {
  for (const tls of [undefined, entry("first")]) {
    const all = { ...common, engine, ...(tls && { tls }), ...options };
    await using server = serve(all as Options as Parameters<typeof serve>[0]);
    const scheme = tls === undefined ? "http" : "https";
    const origin = `${scheme}://localhost:${server.port}`;
    await using client = new Http2Client(origin);
    await use(client, server);
  }
}

engineTest("requests are as those of HTTP/1.1", (engine) =>
  withServer(engine, {
    fetch: (request: Request) =>
      Response.json({
        method: request.method,
        url: request.url,
        host: request.headers.get("host"),
        cookie: request.headers.get("cookie"),
        header: request.headers.get("x-header"),
      }),
  }, async (client, server) => {
    const text = await client.text("/a/b?c=d%20e", {
      ":method": "DELETE",
      "cookie": ["a=1", "b=2"],
      "x-header": "value",
    });
    assertEquals(JSON.parse(text), {
      method: "DELETE",
      url: `${server.url!.protocol}//localhost:${server.port}/a/b?c=d%20e`,
      // Deno shows no field for what HTTP/2 calls `:authority`.
      host: engine === "native" ? `localhost:${server.port}` : null,
      cookie: "a=1; b=2",
      header: "value",
    });
  }));

engineTest("answers are as those of HTTP/1.1", (engine) =>
  withServer(engine, {
    routes: {
      "/static": new Response("static", { headers: { "x-name": "value" } }),
      "/:id/parameter": (request: { params: { id: string } }) =>
        new Response(request.params.id),
    },
    fetch: (request: Request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/204") return new Response(null, { status: 204 });
      if (pathname === "/418") return new Response("tea", { status: 418 });
      if (pathname === "/throws") throw new Error("A bug");
      if (pathname === "/empty") return new Response("");
      const headers = new Headers({ "X-Upper": "CASE" });
      if (engine === "native") {
        // Deno sends them, and then there is no connection any more.
        headers.set("Connection", "close");
        headers.set("Keep-Alive", "timeout=1");
        headers.set("Transfer-Encoding", "chunked");
        headers.set("Upgrade", "websocket");
      }
      headers.append("Set-Cookie", "a=1");
      headers.append("Set-Cookie", "b=2");
      return new Response("content", { headers });
    },
    error: () => new Response("caught", { status: 500 }),
  }, async (client) => {
    const { status, headers, content } = await client.fetch("/");
    assertEquals(status, 200);
    assertEquals(new TextDecoder().decode(content), "content");
    assertEquals(headers["x-upper"], "CASE");
    assertEquals(headers["set-cookie"], ["a=1", "b=2"]);
    for (const name of ["keep-alive", "transfer-encoding", "upgrade"]) {
      assertEquals(headers[name], undefined, name);
    }
    assertEquals(headers["connection"], undefined);
    assert(!isNaN(Date.parse(String(headers["date"]))));
    assertEquals(headers["content-length"], "7");

    if (engine === "native") {
      // After Deno's answer to HEAD, this client ends the connection.
      const head = await client.fetch("/", { ":method": "HEAD" });
      assertEquals(head.status, 200);
      assertEquals(head.headers["content-length"], "7");
      assertEquals(head.content.length, 0);
    }

    const none = await client.fetch("/204");
    assertEquals(none.status, 204);
    assertEquals(none.headers["content-length"], undefined);
    assertEquals(none.content.length, 0);
    assertEquals((await client.fetch("/418")).status, 418);
    assertEquals((await client.fetch("/throws")).status, 500);
    const empty = (await client.fetch("/empty")).headers["content-length"];
    assertEquals(empty, engine === "native" ? "0" : undefined);
    assertEquals(await client.text("/42/parameter"), "42");

    const first = await client.fetch("/static?query");
    assertEquals(new TextDecoder().decode(first.content), "static");
    assertEquals(first.headers["x-name"], "value");
    const etag = String(first.headers["etag"]);
    const same = await client.fetch("/static", { "if-none-match": etag });
    assertEquals(same.status, 304);
    assertEquals(same.content.length, 0);
    const post = await client.fetch("/static", { ":method": "POST" }, "x");
    assertEquals(post.status, 200);
  }));

engineTest("large content arrives whole in both directions", (engine) => {
  const content = noise(5_000_003);
  const whole = hash(content);
  return withServer(engine, {
    fetch: async (request: Request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/bytes") return new Response(content);
      if (pathname === "/stream") return new Response(request.body);
      if (pathname === "/slow") {
        const chunks: Uint8Array[] = [];
        for await (const chunk of request.body!) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          chunks.push(chunk);
        }
        return new Response(new Blob(chunks as BlobPart[]));
      }
      return new Response(hash(await request.bytes()));
    },
  }, async (client) => {
    assertEquals(hash((await client.fetch("/bytes")).content), whole);
    for (const path of ["/stream", "/slow"]) {
      const post = { ":method": "POST" };
      const { content: echo } = await client.fetch(path, post, content);
      assertEquals(hash(echo), whole, path);
    }
    const put = { ":method": "PUT", "content-length": `${content.length}` };
    const { content: text } = await client.fetch("/hash", put, content);
    assertEquals(new TextDecoder().decode(text), whole);
    // All at once.
    const all = Array.from({ length: 8 }, (_, index) =>
      client.fetch(
        index % 2 === 0 ? "/stream" : "/bytes",
        index % 2 === 0 ? { ":method": "POST" } : {},
        index % 2 === 0 ? content : undefined,
      ));
    for (const { content } of await Promise.all(all)) {
      assertEquals(hash(content), whole);
    }
  });
});

engineTest(
  "content of any small size is the same",
  (engine) =>
    withServer(engine, {
      fetch: async (request: Request) => new Response(await request.bytes()),
    }, async (client) => {
      const all = noise(70_000);
      const sizes = [
        0,
        1,
        16_383,
        16_384,
        16_385,
        32_767,
        32_768,
        32_769,
        70_000,
      ];
      for (const size of sizes) {
        const sent = all.slice(0, size);
        const post = { ":method": "POST" };
        const { content, headers } = await client.fetch("/", post, sent);
        assertEquals(hash(content), hash(sent), `${size}`);
        if (size > 0) assertEquals(headers["content-length"], `${size}`);
      }
    }),
);

engineTest("files and their parts", async (engine) => {
  const path = await Deno.makeTempFile();
  const content = noise(3_000_001);
  await Deno.writeFile(path, content);
  try {
    await withServer(engine, {
      routes: { "/static": new Response(file(path)) },
      fetch: () => new Response(file(path)),
    }, async (client) => {
      for (const target of ["/", "/static"]) {
        const whole = await client.fetch(target);
        assertEquals(whole.headers["content-length"], `${content.length}`);
        assertEquals(hash(whole.content), hash(content));
        const range = { range: "bytes=1000000-2000000" };
        const part = await client.fetch(target, range);
        assertEquals(part.status, 206);
        assertEquals(
          hash(part.content),
          hash(content.subarray(1_000_000, 2_000_001)),
        );
        const head = await client.fetch(target, { ":method": "HEAD" });
        assertEquals(head.headers["content-length"], `${content.length}`);
        if (target === "/") continue;
        const modified = String(whole.headers["last-modified"]);
        const same = { "if-modified-since": modified };
        assertEquals((await client.fetch(target, same)).status, 304);
      }
    });
  } finally {
    await Deno.remove(path);
  }
});

engineTest(
  "a thousand requests on one connection",
  (engine) =>
    withServer(engine, {
      fetch: async (request: Request) => {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith("7")) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return new Response(pathname);
      },
    }, async (client) => {
      for (let round = 0; round < 10; round++) {
        const paths = Array.from({ length: 100 }, (_, at) => `/${round}/${at}`);
        const texts = await Promise.all(paths.map((path) => client.text(path)));
        assertEquals(texts, paths);
      }
    }),
);

engineTest(
  "trailers of a request are read and dropped",
  (engine) =>
    withServer(engine, {
      fetch: async (request: Request) => new Response(await request.text()),
    }, async (client) => {
      const stream = client.session.request(
        { ":path": "/", ":method": "POST" },
        { endStream: false, waitForTrailers: true } as Record<string, unknown>,
      );
      stream.on(
        "wantTrailers",
        () => stream.sendTrailers({ "x-trailer": "1" }),
      );
      const received = receive(stream);
      stream.end("content");
      const { content } = await received;
      assertEquals(new TextDecoder().decode(content), "content");
    }),
);

engineTest(
  "content beyond the limit is refused with 413",
  (engine) =>
    withServer(engine, {
      maxRequestBodySize: 100_000,
      fetch: async (request: Request) => new Response(await request.text()),
    }, async (client) => {
      const post = { ":method": "POST" };
      const declared = { ...post, "content-length": "100001" };
      const content = new Uint8Array(100_001);
      assertEquals((await client.fetch("/", declared, content)).status, 413);
      const { status } = await client.fetch("/", post, content);
      assertEquals(status, 413);
      // The connection goes on.
      const { content: fits } = await client.fetch("/", post, content.slice(1));
      assertEquals(fits.length, 100_000);
    }),
);

engineTest(
  "HTTP/1.1 is spoken beside it",
  (engine) =>
    withServer(engine, {
      fetch: () => new Response("hello"),
    }, async (_, server) => {
      const { protocol } = server.url!;
      if (protocol === "https:") {
        using client = httpClient({ http2: false });
        const answer = await fetch(`https://localhost:${server.port}`, {
          client,
        });
        assertEquals(await answer.text(), "hello");
      } else {
        // Letters of a preface that is none, one by one.
        const { port } = server;
        const connection = await Deno.connect({
          hostname: "127.0.0.1",
          port: port!,
        });
        for (
          const letter
            of "PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        ) {
          await connection.write(new TextEncoder().encode(letter));
        }
        const text = await new Response(connection.readable).text();
        assertEquals(text.slice(0, 15), "HTTP/1.1 200 OK");
      }
    }),
);

engineTest("an upgrade is refused", (engine) =>
  withServer(engine, {
    fetch: (request: Request, server: Server) =>
      new Response(`${server.upgrade(request)}`),
    websocket: { message: () => {} },
  }, async (client) => {
    const fields = {
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    assertEquals(await client.text("/", fields), "false");
  }));
