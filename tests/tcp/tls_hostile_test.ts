/** TLS handshakes that clients get wrong on purpose. */
import { assert, assertEquals } from "@std/assert";
import { subjects } from "./engines.ts";
import type { TLSOptions } from "../../src/options/tls_options.ts";
import { exchange, inBytes, writeAll } from "../tls/ciphertext_client.ts";
import { hello, helloMessage, records, vector } from "../tls/client_hello.ts";
import { drained, listenWithTimes } from "./listener.ts";
import { pair } from "./tls_files.ts";

const loopback = { hostname: "127.0.0.1", port: 0 } as const;
const several = [
  pair("localhost"),
  { ...pair("a_test"), serverName: "a.test" },
];

/** The platform's own TLS and ours on its TCP. */
const serverTls: [name: string, tls: TLSOptions | TLSOptions[]][] = [
  ["one certificate", pair("localhost")],
  ["several certificates", several],
];

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends bytes and returns what comes until the end, as numbers. */
async function answer(
  port: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<number[]> {
  using conn = await connect(port);
  await writeAll(conn, bytes);
  // It may be a beginning that asks for more.
  await conn.closeWrite().catch(() => {});
  const received: number[] = [];
  const buffer = new Uint8Array(1024);
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      received.push(...buffer.subarray(0, count));
    }
  } catch {
    // A reset is an end, too.
  }
  return received;
}

for (const { listen, test } of subjects) {
  for (const [name, tls] of serverTls) {
    test(`what is no hello is answered by an alert: ${name}`, async () => {
      const events: string[] = [];
      using server = listen<unknown>({
        ...loopback,
        tls,
        socket: {
          open: () => void events.push("open"),
          data: () => void events.push("data"),
          error: () => void events.push("error"),
          close: () => void events.push("close"),
        },
      });
      const random = crypto.getRandomValues(new Uint8Array(500));
      const malformed = helloMessage({}).fill(255, 40);
      const garbage: Uint8Array<ArrayBuffer>[] = [
        new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
        new Uint8Array(100).fill(255),
        Uint8Array.of(22, 3, 1, 255, 255),
        Uint8Array.of(22, 3, 1, 0, 4, 1, 0, 0, 0),
        Uint8Array.of(22, 3, 1, 0, 5, 2, 0, 0, 1, 1),
        Uint8Array.from(records(malformed)),
      ];
      for (const bytes of garbage) {
        const [type, major, , , length, level] = await answer(
          server.port,
          bytes,
        );
        assertEquals([type, major, length, level], [21, 3, 2, 2]);
      }
      // Whatever is in it, it ends.
      await answer(server.port, Uint8Array.from([22, ...random]));
      await answer(server.port, Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
      assertEquals(events, []);
    });

    test(`a hello may come in single bytes: ${name}`, async () => {
      using server = listen<unknown>({
        ...loopback,
        tls,
        socket: { data: (socket, data) => void socket.write(data) },
      });
      const text = await exchange(server.port, "hello", async (conn, bytes) => {
        for (const byte of bytes) await conn.write(Uint8Array.of(byte));
      });
      assertEquals(text, "hello");
    });

    test(`a hello may be in records of a byte: ${name}`, async () => {
      using server = listen<unknown>({
        ...loopback,
        tls,
        socket: { data: (socket, data) => void socket.write(data) },
      });
      let isFirst = true;
      const text = await exchange(server.port, "hello", async (conn, bytes) => {
        await writeAll(conn, isFirst ? inBytes(bytes) : bytes);
        isFirst = false;
      });
      assertEquals(text, "hello");
    });

    test(`a hello that is too long is refused: ${name}`, async () => {
      using server = listen<unknown>({
        ...loopback,
        tls,
        socket: { data() {} },
      });
      using conn = await connect(server.port);
      const content = Array.from({ length: 16_000 }, () => 0);
      let sent = 0;
      const first = Uint8Array.from([
        22,
        3,
        1,
        ...vector([1, 255, 255, 255, 3, 3, ...content], 2),
      ]);
      const next = Uint8Array.from([22, 3, 1, ...vector(content, 2)]);
      let isOver = false;
      const reading = drained(conn).then(() => isOver = true);
      try {
        for (let bytes = first; !isOver && sent < 2 ** 26; bytes = next) {
          sent += await conn.write(bytes);
        }
      } catch {
        // Refused.
      }
      await reading;
      assert(sent < 2 ** 26, "64 MB were accepted");
    });

    test(`silent clients keep nobody waiting: ${name}`, async () => {
      using server = listen<unknown>({
        ...loopback,
        tls,
        socket: { data: (socket, data) => void socket.write(data) },
      });
      const start = hello("a.test");
      const silent = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const conn = await connect(server.port);
          // Nothing, a part of the hello, or all of it.
          await writeAll(conn, start.subarray(0, index % 3 * start.length / 2));
          return conn;
        }),
      );
      assertEquals(await exchange(server.port, "hello"), "hello");
      for (const conn of silent) conn.close();
    });

    test(`clients may leave at any byte of the hello: ${name}`, async () => {
      const closed: string[] = [];
      using server = listenWithTimes({ linger: 0.05 }, {
        tls,
        socket: {
          data: (socket, data) => void socket.write(data),
          close: () => void closed.push("close"),
        },
      });
      const bytes = hello("a.test");
      for (let length = 0; length <= bytes.length; length += 7) {
        const conn = await connect(server.port);
        await writeAll(conn, bytes.subarray(0, length));
        if (length % 2 === 0) {
          await conn.closeWrite();
          await drained(conn);
        }
        conn.close();
      }
      // None of those was open, so none of them is closed.
      assertEquals(closed, []);
      assertEquals(await exchange(server.port, "hello"), "hello");
    });
  }
}
