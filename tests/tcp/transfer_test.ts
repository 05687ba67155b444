/** Much data: nothing may be lost, changed or piled up in memory. */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { subjects, type TcpSubject } from "./engines.ts";
import type { TLSOptions } from "../../src/options/tls_options.ts";
import type {
  Socket,
  SocketHandler,
  TCPSocketListener,
} from "../../src/tcp/socket_types.ts";
import { authority, pair } from "./tls_files.ts";

const MEGABYTE = 2 ** 20;

/** The platform's own TLS, and ours on its TCP. */
const serverTls: [name: string, tls: TLSOptions | TLSOptions[]][] = [
  ["TLS", pair("localhost")],
  ["TLS with several certificates", [
    pair("localhost"),
    { ...pair("a_test"), serverName: "a.test" },
  ]],
];

/** Bytes that are different everywhere, made on demand. */
class Source {
  readonly hash = createHash("sha256");
  readonly #size: number;
  readonly #block: Uint8Array<ArrayBuffer>;
  #position = 0;
  #rest: Uint8Array | undefined;

  constructor(size: number) {
    this.#size = size;
    this.#block = new Uint8Array(200_003);
    // Its length is prime, so that it never falls in step with buffers.
    for (let index = 0; index < this.#block.length; index++) {
      this.#block[index] = (index * 2654435761) >>> 13;
    }
  }

  /** Writes until there is backpressure or everything was written. */
  writeTo(socket: Socket<never>): void {
    while (this.#position < this.#size) {
      const bytes = this.#rest ?? this.#next();
      const taken = socket.write(bytes);
      assert(taken >= 0, "the socket has closed");
      this.hash.update(bytes.subarray(0, taken));
      this.#position += taken;
      this.#rest = taken < bytes.length ? bytes.subarray(taken) : undefined;
      if (this.#rest !== undefined) return;
    }
    socket.shutdown();
  }

  #next(): Uint8Array {
    return this.#block.subarray(0, this.#size - this.#position);
  }
}

/** Sends back what arrives, and takes no more than it can send. */
function echo(): SocketHandler<{ waiting?: Uint8Array }> {
  return {
    open: (socket) => void (socket.data = {}),
    data: (socket, data) => {
      const taken = socket.write(data);
      if (taken === data.length) return;
      socket.data.waiting = data.subarray(taken);
      socket.pause();
    },
    drain: (socket) => {
      const { waiting } = socket.data;
      if (waiting === undefined) return;
      const taken = socket.write(waiting);
      if (taken < waiting.length) {
        socket.data.waiting = waiting.subarray(taken);
        return;
      }
      socket.data.waiting = undefined;
      socket.resume();
    },
    // What waits is written by drain before that ends, but not after it.
    end: async (socket) => {
      while (socket.data.waiting !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      socket.end();
    },
  };
}

interface Slowness {
  /** Pause after that many bytes. */
  readonly every: number;
  /** For that many milliseconds. */
  readonly rest: number;
}

async function transfer(
  connect: TcpSubject["connect"],
  server: TCPSocketListener<unknown>,
  size: number,
  { every, rest }: Slowness,
  options: { tls?: { ca: string }; hostname: string },
): Promise<void> {
  const source = new Source(size);
  const hash = createHash("sha256");
  let received = 0;
  let sinceRest = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const client = await connect<undefined, "uint8array">({
    ...options,
    port: server.port,
    socket: {
      binaryType: "uint8array",
      open: (socket) => source.writeTo(socket as unknown as Socket<never>),
      drain: (socket) => source.writeTo(socket as unknown as Socket<never>),
      data(socket, data) {
        hash.update(data);
        received += data.length;
        sinceRest += data.length;
        if (sinceRest < every) return;
        sinceRest = 0;
        socket.pause();
        setTimeout(() => socket.resume(), rest);
      },
      close: (_, error) => error === undefined ? resolve() : reject(error),
      error: (_, error) => reject(error),
    },
  });
  await promise;
  assertEquals(received, size);
  assertEquals(client.bytesWritten, size);
  assertEquals(hash.digest("hex"), source.hash.digest("hex"));
}

for (const { listen, connect, test } of subjects) {
  test("100 MB are echoed to a slow reader, in bounded memory", async () => {
    using server = listen({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      data: {},
      socket: echo(),
    });
    const before = Deno.memoryUsage().rss;
    await transfer(connect, server, 100_000_000, {
      every: 8 * MEGABYTE,
      rest: 20,
    }, {
      hostname: "127.0.0.1",
    });
    const grown = Deno.memoryUsage().rss - before;
    assert(grown < 300 * MEGABYTE, `memory grew by ${grown} bytes`);
  });

  for (const [name, tls] of serverTls) {
    test(`32 MB are echoed to a slow reader over ${name}`, async () => {
      using server = listen({
        hostname: "127.0.0.1",
        port: 0,
        allowHalfOpen: true,
        data: {},
        tls,
        socket: echo(),
      });
      await transfer(connect, server, 32_000_000, {
        every: 4 * MEGABYTE,
        rest: 10,
      }, {
        hostname: "localhost",
        tls: { ca: authority },
      });
    });
  }

  for (const [name, tls] of [["TCP", undefined] as const, ...serverTls]) {
    const over = ` over ${name}`;
    test(`end() of either side delivers 16 MB${over}`, async () => {
      const big = new Uint8Array(16 * MEGABYTE).fill(7);
      for (const side of ["server", "client"]) {
        let received = 0;
        const { promise, resolve } = Promise.withResolvers<Error | undefined>();
        const sender: SocketHandler = {
          open: (socket) => void socket.end(big),
          data() {},
        };
        const receiver: SocketHandler = {
          open(socket) {
            socket.pause();
            setTimeout(() => socket.resume(), 50);
          },
          data: (_, data) => void (received += data.length),
          close: (_, error) => resolve(error),
        };
        using server = listen<unknown>({
          hostname: "127.0.0.1",
          port: 0,
          tls,
          socket: side === "server" ? sender : receiver,
        });
        await connect<unknown>({
          hostname: "localhost",
          port: server.port,
          tls: tls && { ca: authority },
          socket: side === "server" ? receiver : sender,
        });
        assertEquals(await promise, undefined);
        assertEquals(received, big.length, side);
      }
    });

    test(`a reply after the peer's end is whole${over}`, async () => {
      const big = new Uint8Array(16 * MEGABYTE).fill(7);
      let received = 0;
      const { promise, resolve } = Promise.withResolvers<Error | undefined>();
      using server = listen({
        hostname: "127.0.0.1",
        port: 0,
        allowHalfOpen: true,
        tls,
        socket: { data() {}, end: (socket) => void socket.end(big) },
      });
      await connect({
        hostname: "localhost",
        port: server.port,
        tls: tls && { ca: authority },
        socket: {
          open(socket) {
            socket.write("question");
            socket.shutdown();
          },
          data(socket, data) {
            received += data.length;
            socket.pause();
            queueMicrotask(() => socket.resume());
          },
          close: (_, error) => resolve(error),
        },
      });
      assertEquals(await promise, undefined);
      assertEquals(received, big.length);
    });
  }

  for (const [name, tls] of serverTls) {
    test(`a client answers whole after the server's end over ${name}`, async () => {
      const big = new Uint8Array(8 * MEGABYTE).fill(7);
      let received = 0;
      const { promise, resolve } = Promise.withResolvers<void>();
      using server = listen({
        hostname: "127.0.0.1",
        port: 0,
        allowHalfOpen: true,
        tls,
        socket: {
          open: (socket) => socket.shutdown(),
          data: (_, data) => void (received += data.length),
          close: () => resolve(),
        },
      });
      await connect({
        hostname: "localhost",
        port: server.port,
        allowHalfOpen: true,
        tls: { ca: authority },
        socket: { data() {}, end: (socket) => void socket.end(big) },
      });
      await promise;
      assertEquals(received, big.length);
    });
  }
}
