import { assert, assertEquals, assertMatch } from "@std/assert";
import { serve } from "@jstime/serve";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { certificateOf, type Entry, entry } from "./certificates.ts";
import { exchange, inBytes, writeAll } from "./ciphertext_client.ts";
import { httpClient, HttpsConnection, shakeHands } from "./client.ts";
import { hello, vector } from "./client_hello.ts";
import { engineTest } from "./engines.ts";
import { listenTls } from "./listener.ts";

const common = {
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Response("ok"),
};

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** The status of a request that comes from an address and port. */
function statusFrom(
  from: { port: number; localAddress: string; localPort: number },
): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<
    number | undefined
  >();
  const socket = connectTcp({ host: "127.0.0.1", ...from });
  const ca = certificateOf("first");
  const tls = connectTls({ socket, ca, servername: "localhost" }, () => {
    tls.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
  tls.on("error", reject);
  tls.once("data", (head) => {
    tls.on("close", () => resolve(Number(String(head).split(" ")[1])));
    tls.destroy();
  });
  return promise;
}

/** Reads until the peer closes or resets the connection. */
async function ended(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65536);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // A reset is an end, too.
  }
}

engineTest(
  "garbage instead of a handshake hurts nobody else",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: [entry("first")] });
    await using other = await HttpsConnection.open(server.port!);
    const random = crypto.getRandomValues(new Uint8Array(5000));
    const started = hello("first.test");
    const garbage: Uint8Array<ArrayBuffer>[] = [
      new TextEncoder().encode("GET / HTTP/1.1\r\nHost: first.test\r\n\r\n"),
      random,
      Uint8Array.from([22, ...random]),
      Uint8Array.from([22, 3, 1, 0, 4, 1, 0, 0, 0]),
      Uint8Array.from([21, 3, 3, 0, 2, 2, 40]),
      Uint8Array.from([...started, ...random]),
      Uint8Array.from([...started.subarray(0, 20), ...random]),
    ];
    for (const bytes of garbage) {
      using conn = await connect(server.port!);
      await conn.write(bytes);
      await conn.closeWrite();
      await ended(conn);
    }
    assertEquals(await other.get("/"), "ok");
    assertEquals(server.pendingRequests, 0);
  },
);

engineTest(
  "clients that leave during the handshake leave nothing",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: [entry("first")] });
    const bytes = hello("first.test");
    for (let length = 0; length <= bytes.length; length += 9) {
      const conn = await connect(server.port!);
      await conn.write(bytes.slice(0, length));
      conn.close();
    }
    using client = httpClient();
    const response = await fetch(`https://localhost:${server.port}/`, {
      client,
    });
    assertEquals(await response.text(), "ok");
  },
);

const REQUEST = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
const serverTls: [name: string, tls: Entry | Entry[]][] = [
  ["one certificate", entry("first")],
  ["several certificates", [entry("first"), entry("second", "second.test")]],
];

for (const [name, tls] of serverTls) {
  engineTest(`a hello may come in single bytes: ${name}`, async (engine) => {
    await using server = serve({ ...common, engine, tls });
    const answer = await exchange(
      server.port!,
      REQUEST,
      async (conn, bytes) => {
        for (const byte of bytes) await conn.write(Uint8Array.of(byte));
      },
    );
    assertMatch(answer, /^HTTP\/1\.1 200 /);
  });

  engineTest(`a hello may be in records of a byte: ${name}`, async (engine) => {
    await using server = serve({ ...common, engine, tls });
    let isFirst = true;
    const answer = await exchange(
      server.port!,
      REQUEST,
      async (conn, bytes) => {
        await writeAll(conn, isFirst ? inBytes(bytes) : bytes);
        isFirst = false;
      },
    );
    assertMatch(answer, /^HTTP\/1\.1 200 /);
  });

  engineTest(`a hello that is too long is refused: ${name}`, async (engine) => {
    await using server = serve({ ...common, engine, tls });
    using conn = await connect(server.port!);
    const content = Array.from({ length: 16_000 }, () => 0);
    const start = vector([1, 255, 255, 255, 3, 3, ...content], 2);
    const first = Uint8Array.from([22, 3, 1, ...start]);
    const next = Uint8Array.from([22, 3, 1, ...vector(content, 2)]);
    const most = 64 * 1024 * 1024;
    let sent = 0;
    let isOver = false;
    const reading = ended(conn).then(() => isOver = true);
    try {
      for (let bytes = first; !isOver && sent < most; bytes = next) {
        sent += await conn.write(bytes);
      }
    } catch {
      // Refused.
    }
    await reading;
    assert(sent < most, "64 MB were accepted");
  });

  engineTest(
    `200 silent clients keep nobody waiting: ${name}`,
    async (engine) => {
      await using server = serve({ ...common, engine, tls });
      const bytes = hello("first.test");
      const silent = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const conn = await connect(server.port!);
          await writeAll(conn, bytes.subarray(0, index % 3 * bytes.length / 2));
          return conn;
        }),
      );
      const answer = await exchange(server.port!, REQUEST);
      assertMatch(answer, /^HTTP\/1\.1 200 /);
      for (const conn of silent) conn.close();
    },
  );
}

Deno.test("silent clients do not keep others waiting, and are cut", async () => {
  await using test = listenTls({ firstRequest: 100 });
  const bytes = hello("first.test");
  const conns: Deno.Conn[] = [];
  for (let index = 0; index < 40; index++) {
    const conn = await connect(test.port);
    // Nothing, a part of the hello, or the handshake up to its second half.
    await conn.write(bytes.slice(0, index % 3 * bytes.length / 2));
    conns.push(conn);
  }
  const { certificate } = await shakeHands(test.port, "second.test");
  assertEquals(certificate, "second");
  await Promise.all(conns.map(ended));
  for (const conn of conns) conn.close();
});

Deno.test("a connection is not cut once it has made a request", async () => {
  await using test = listenTls({ firstRequest: 100 });
  await using connection = await HttpsConnection.open(test.port);
  assertEquals(await connection.get("/"), "ok");
  await using silent = await HttpsConnection.open(test.port);
  await silent.rest().catch(() => {});
  assertEquals(await connection.get("/"), "ok");
});

Deno.test("too many silent clients: the oldest are cut", async () => {
  await using test = listenTls({ waiting: 5 });
  await using established = await HttpsConnection.open(test.port);
  assertEquals(await established.get("/"), "ok");
  const conns: Deno.Conn[] = [];
  for (let index = 0; index < 12; index++) {
    const conn = await connect(test.port);
    await conn.write(new Uint8Array([22, 3, 1]));
    conns.push(conn);
  }
  await Promise.all(conns.slice(0, 7).map(ended));
  assertEquals(await established.get("/"), "ok");
  await using fresh = await HttpsConnection.open(test.port);
  assertEquals(await fresh.get("/"), "ok");
  for (const conn of conns) conn.close();
});

Deno.test("a client that takes nothing is cut", async () => {
  const content = new Uint8Array(32 * 1024 * 1024);
  await using test = listenTls(
    { stalledWrite: 100 },
    [entry("first")],
    () => new Response(content),
  );
  const tcp = await connect(test.port);
  tcp.close();
  await using connection = await HttpsConnection.open(test.port);
  await connection.send("GET / HTTP/1.1\r\nHost: first.test\r\n\r\n");
  // Waiting for the end of the connection without reading from it.
  await test.listener.stop(false);
});

Deno.test("a client that never closes is closed after the end", async () => {
  await using test = listenTls({ linger: 50 });
  const tcp = await connect(test.port);
  using tls = await Deno.startTls(tcp, {
    hostname: "first.test",
    caCerts: [certificateOf("first")],
  });
  await tls.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  await ended(tls);
  await test.listener.stop(false);
});

Deno.test("a client that is refused may send on before it reads why", async () => {
  await using test = listenTls({ linger: 20_000 });
  await using connection = await HttpsConnection.open(test.port);
  const lines = `X: ${"x".repeat(1000)}\r\n`.repeat(8000);
  await connection.send(`GET / HTTP/1.1\r\nHost: x\r\n${lines}`);
  assertMatch(await connection.rest(), /^HTTP\/1\.1 4\d\d /);
});

Deno.test("strangers are refused by the backends", async () => {
  await using test = listenTls();
  for (const port of test.backendPorts) {
    for (const http2 of [true, false]) {
      using client = httpClient({ http2 }, "first", "second");
      const url = `https://localhost:${port}/`;
      const response = await fetch(url, { client, method: "POST", body: "x" });
      assertEquals([response.status, await response.text()], [421, ""]);
    }
  }
  assertEquals(test.backendPorts.length, 2);
});

Deno.test({
  name: "a stranger with the port of a relay on another address is refused",
  // Others have only one address on their loopback interface.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using test = listenTls({}, [entry("first")]);
    const relayPorts: number[] = [];
    const { connect } = Deno;
    Deno.connect = (async (options: Deno.ConnectOptions) => {
      const conn = await connect(options);
      relayPorts.push((conn.localAddr as Deno.NetAddr).port);
      return conn;
    }) as typeof connect;
    try {
      await using relayed = await HttpsConnection.open(test.port);
      assertEquals(await relayed.get("/"), "ok");
      const status = await statusFrom({
        port: test.backendPorts[0]!,
        localAddress: "127.0.0.2",
        localPort: relayPorts.at(-1)!,
      });
      assertEquals(status, 421);
      assertEquals(await relayed.get("/"), "ok");
    } finally {
      Deno.connect = connect;
    }
  },
});

Deno.test("a silent stranger does not delay stop", async () => {
  const test = listenTls();
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const strangers = await Promise.all(test.backendPorts.map(connect));
  test.listener.stop(false).then(resolve);
  await stopped;
  for (const stranger of strangers) stranger.close();
});

engineTest("1,000 handshakes leave nothing behind", async (engine) => {
  const descriptors = () => {
    try {
      return Array.from(Deno.readDirSync("/proc/self/fd")).length;
    } catch {
      return 0;
    }
  };
  const before = descriptors();
  {
    await using server = serve({
      ...common,
      engine,
      tls: [entry("first"), entry("second", "second.test")],
    });
    const names = ["first.test", "second.test", "", "other.test"];
    const shown = new Map<string, number>();
    for (let round = 0; round < 50; round++) {
      const batch = Array.from(
        { length: 20 },
        (_, index) => shakeHands(server.port!, names[index % names.length]!),
      );
      for (const { certificate } of await Promise.all(batch)) {
        shown.set(certificate, (shown.get(certificate) ?? 0) + 1);
      }
    }
    assertEquals([shown.get("first"), shown.get("second")], [750, 250]);
  }
  // Other tests run in this process too, and open a few.
  const after = descriptors();
  assert(after < before + 100, `${after} after ${before}`);
});
