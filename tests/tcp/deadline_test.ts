/**
 * Peers that do nothing do not hold on to connections for ever. Every test here
 * hangs if its deadline is missing.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DenoConnection } from "../../src/engine/deno/tcp_connection.ts";
import { TCP_TIMES } from "../../src/engine/deno/tcp_deadline.ts";
import type { TlsHandshake } from "../../src/engine/engine.ts";
import { drained, listenWithTimes, refused } from "./listener.ts";
import { authority, pair } from "./tls_files.ts";

const MEGABYTE = 2 ** 20;
/** More than sockets and our queue hold together. */
const BIG = new Uint8Array(32 * MEGABYTE);
const SHORT = 0.05;
const LONG = 60;

const named = { ...pair("a_test"), serverName: "a.test" };
const several = [pair("localhost"), named];
const serverTls: [name: string, tls: unknown][] = [
  ["one certificate", pair("localhost")],
  ["several certificates", several],
];

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Any timer that was started before and is shorter fires meanwhile. */
function moreThan(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 4_000));
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

for (const [name, tls] of serverTls) {
  Deno.test(`silent clients fail the handshake: ${name}`, async () => {
    const closed = Promise.withResolvers<void>();
    const events: string[] = [];
    using server = listenWithTimes({ handshake: SHORT }, {
      tls,
      socket: {
        data: () => void events.push("data"),
        handshake(_, success, error) {
          events.push(`handshake ${success} ${codeOf(error)}`);
        },
        close(_, error) {
          events.push(`close ${codeOf(error)}`);
          closed.resolve();
        },
      },
    });
    using _silent = await connect(server.port);
    await closed.promise;
    assertEquals(events, ["handshake false ETIMEDOUT", "close ETIMEDOUT"]);
  });

  Deno.test(`a part of a hello does not help: ${name}`, async () => {
    const closed = Promise.withResolvers<void>();
    using server = listenWithTimes({ handshake: SHORT }, {
      tls,
      socket: { data() {}, handshake() {}, close: () => closed.resolve() },
    });
    using client = await connect(server.port);
    await client.write(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
    await closed.promise;
  });

  Deno.test(`what is open is not cut: ${name}`, async () => {
    // Long enough for a handshake on a busy computer.
    const handshake = 0.5;
    using server = listenWithTimes({ handshake }, {
      tls,
      socket: { data: (socket, data) => void socket.write(data) },
    });
    const carrier = await connect(server.port);
    using client = await Deno.startTls(carrier, {
      hostname: "localhost",
      caCerts: [authority],
    });
    await client.handshake();
    await new Promise((resolve) => setTimeout(resolve, handshake * 1_200));
    await client.write(new Uint8Array(3));
    assertEquals(await client.read(new Uint8Array(10)), 3);
  });
}

Deno.test("a silent server is cut in the handshake", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [conn, silent] = await Promise.all([
    connect((listener.addr as Deno.NetAddr).port),
    listener.accept(),
  ]);
  using _silent = silent;
  const times = { ...TCP_TIMES, handshake: SHORT };
  const connection = new DenoConnection(conn, times).startTls({
    serverName: "localhost",
    authorities: undefined,
    certificate: undefined,
    rejectUnauthorized: true,
    alpnProtocols: [],
  });
  const result = await new Promise<[TlsHandshake, Error | undefined]>(
    (resolve) => {
      let handshake: TlsHandshake;
      connection.start({
        handshake: (result) => handshake = result,
        data() {},
        end() {},
        drain() {},
        close: (error) => resolve([handshake, error]),
      });
    },
  );
  assertEquals(codeOf(result[0].error), "ETIMEDOUT");
  assertEquals(codeOf(result[1]), "ETIMEDOUT");
});

Deno.test("after close(), a reader that does not read is cut", async () => {
  using server = listenWithTimes({ flush: SHORT }, {
    socket: { open: (socket) => void socket.end(BIG), data() {} },
  });
  using client = await connect(server.port);
  await refused(client);
  const received = await drained(client);
  assert(received < BIG.length, `${received} bytes`);
});

for (const [name, tls] of serverTls) {
  Deno.test(`after close(), TLS does not wait either: ${name}`, async () => {
    const closed = Promise.withResolvers<void>();
    using server = listenWithTimes({ flush: SHORT }, {
      tls,
      socket: {
        open: (socket) => void socket.end(BIG),
        data() {},
        close: () => closed.resolve(),
      },
    });
    const carrier = await connect(server.port);
    using client = await Deno.startTls(carrier, {
      hostname: "localhost",
      caCerts: [authority],
    });
    await client.handshake();
    await closed.promise;
    await moreThan(SHORT);
    const received = await drained(client);
    assert(received < BIG.length, `${received} bytes`);
  });
}

Deno.test("after close(), a slow reader gets everything", async () => {
  // Each read is progress, so that it takes many times as long as allowed.
  using server = listenWithTimes({ flush: 1 }, {
    socket: { open: (socket) => void socket.end(BIG), data() {} },
  });
  using client = await connect(server.port);
  const buffer = new Uint8Array(MEGABYTE);
  let received = 0;
  for (;;) {
    const count = await client.read(buffer);
    if (count === null) break;
    received += count;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(received, BIG.length);
});

Deno.test("a peer that never ends is cut when everything was sent", async () => {
  using server = listenWithTimes({ linger: SHORT, flush: LONG }, {
    socket: { open: (socket) => void socket.end("all"), data() {} },
  });
  using client = await connect(server.port);
  assertEquals(await drained(client), 3);
  // Nothing has put the deadline off, so the first byte is answered by a reset.
  await moreThan(SHORT);
  await client.write(new Uint8Array(1));
  await assertRejects(() => client.write(new Uint8Array(1)));
});

Deno.test("a peer that goes on sending is cut in the end", async () => {
  using server = listenWithTimes({
    linger: SHORT,
    longestLinger: SHORT * 4,
    flush: LONG,
  }, {
    socket: { open: (socket) => void socket.end("all"), data() {} },
  });
  using client = await connect(server.port);
  assertEquals(await drained(client), 3);
  await refused(client);
});

Deno.test("what a peer sends keeps the connection until then", async () => {
  using server = listenWithTimes({
    linger: 1,
    longestLinger: LONG,
    flush: LONG,
  }, {
    socket: { open: (socket) => void socket.end("all"), data() {} },
  });
  using client = await connect(server.port);
  assertEquals(await drained(client), 3);
  // Longer than the first deadline, but never that long without a byte.
  for (let count = 0; count < 75; count++) {
    await client.write(new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  client.closeWrite();
});

Deno.test("silent clients are cut if there are several certificates", async () => {
  using server = listenWithTimes({ handshake: SHORT }, {
    tls: several,
    socket: { data() {} },
  });
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => connect(server.port)),
  );
  // The platform's own TLS keeps them until they act: it does not even close.
  for (const client of clients) {
    assertEquals(await drained(client), 0);
    client.close();
  }
});

Deno.test("without anything to send, close() in a handshake cuts", async () => {
  using server = listenWithTimes({ handshake: LONG, flush: LONG }, {
    tls: several,
    socket: {
      // With this, the socket is open before the handshake.
      handshake() {},
      open: (socket) => void socket.end(),
      data() {},
    },
  });
  using client = await connect(server.port);
  assertEquals(await drained(client), 0);
});
