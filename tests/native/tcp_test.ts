/** TCP on I/O threads: what only this engine has, or could get wrong. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import { denoTcp } from "../../src/engine/deno/tcp.ts";
import type { TcpConnectPlan } from "../../src/engine/engine.ts";
import { loadNativeEngine } from "../../src/engine/native/engine.ts";
import { nativeTest, resources } from "./native_fixture.ts";

const loopback = { hostname: "127.0.0.1", port: 0, engine: "native" } as const;
const source = new URL("../../src/", import.meta.url).href;

/** Runs a program in a process of its own; what it has printed. */
async function run(
  script: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    env,
    signal: AbortSignal.timeout(30_000),
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

nativeTest("TCP: several I/O threads share the connections", async () => {
  const output = await run(
    `
    import { listen } from "${source}listen.ts";
    import { connect } from "${source}connect.ts";
    const server = listen({
      hostname: "127.0.0.1",
      port: 0,
      engine: "native",
      socket: { data: (socket, data) => void socket.write(data) },
    });
    const busy = () =>
      Array.from(Deno.readDirSync("/proc/self/task")).filter(({ name }) =>
        Deno.readTextFileSync("/proc/self/task/" + name + "/comm")
          .startsWith("jstime-io")
      ).length;
    const texts = await Promise.all(Array.from({ length: 60 }, (_, index) =>
      new Promise((resolve) => {
        const text = "number " + index + " " + "x".repeat(index * 1000);
        let received = "";
        connect({
          hostname: "127.0.0.1",
          port: server.port,
          engine: index % 2 === 0 ? "native" : "deno",
          socket: {
            open: (socket) => void socket.write(text),
            data(socket, data) {
              received += data;
              if (received.length < text.length) return;
              socket.end();
              resolve(received === text);
            },
          },
        });
      })));
    console.log(busy(), texts.filter(Boolean).length);
    server.stop();
    `,
    { JSTIME_IO_THREADS: "3" },
  );
  assertEquals(output, "3 60\n");
});

nativeTest("TCP: blocked JavaScript loses and reorders nothing", async () => {
  const total = 30;
  const size = 400_000;
  const ended = Promise.withResolvers<void>();
  const wrong: string[] = [];
  let open = 0;
  let closed = 0;
  using server = listen<{ next: number }>({
    ...loopback,
    socket: {
      open(socket) {
        open++;
        socket.data = { next: 0 };
      },
      data(socket, bytes) {
        const { data } = socket;
        for (const byte of bytes) {
          if (byte !== data.next % 251) wrong.push(`${byte} at ${data.next}`);
          data.next++;
        }
      },
      close({ data }) {
        if (data.next !== size) wrong.push(`${data.next} bytes`);
        if (++closed === total) ended.resolve();
      },
    },
  });
  const clients = run(`
    const bytes = Uint8Array.from({ length: ${size} }, (_, at) => at % 251);
    await Promise.all(Array.from({ length: ${total} }, async () => {
      const conn = await Deno.connect({
        hostname: "127.0.0.1",
        port: ${server.port},
      });
      await conn.writable.getWriter().write(bytes);
      await conn.closeWrite();
      for await (const _ of conn.readable);
    }));`);
  const waiter = new Int32Array(new SharedArrayBuffer(4));
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    Atomics.wait(waiter, 0, 0, 150);
  }
  await ended.promise;
  await clients;
  assertEquals([open, wrong], [total, []]);
});

nativeTest("TCP: everything is given back", async () => {
  async function round(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using server = listen({
      ...loopback,
      socket: { data: (socket, data) => void socket.end(data) },
    });
    const client = await connect({
      ...loopback,
      port: server.port,
      socket: { data() {}, close: () => resolve() },
    });
    client.write("x");
    await promise;
  }
  await round();
  const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
  await settled();
  const before = resources();
  for (let count = 0; count < 20; count++) await round();
  for (let tries = 0; tries < 100; tries++) {
    const { threads, descriptors } = resources();
    if (threads <= before.threads && descriptors <= before.descriptors) break;
    await settled();
  }
  const after = resources();
  assert(after.descriptors <= before.descriptors, `${after.descriptors}`);
  assert(after.threads <= before.threads, `${after.threads}`);
});

const refused: [name: string, address: TcpConnectPlan["address"]][] = [
  ["a port where nobody listens", {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 1,
  }],
  ["a name", { transport: "tcp", hostname: "localhost", port: 1 }],
  ["a name without address", {
    transport: "tcp",
    hostname: "nothing.invalid",
    port: 1,
  }],
  ["a path without socket", { transport: "unix", path: "/nonexistent/a" }],
  ["an abstract name", { transport: "unix", path: "\0nobody listens here" }],
];

for (const [name, address] of refused) {
  nativeTest(`TCP: errors are those of the deno engine: ${name}`, async () => {
    const plan = { address, tls: undefined };
    const facts = await Promise.all(
      [denoTcp, loadNativeEngine()!.tcp].map(async (engine) => {
        const error = await assertRejects(() => engine.connectTcp(plan), Error);
        const { cause: _, message, ...rest } = error as unknown as Record<
          string,
          unknown
        >;
        return [String(message).split(":")[0], rest];
      }),
    );
    assertEquals(facts[1], facts[0]);
  });
}

nativeTest("TCP: connecting to a name tries every address", async () => {
  // It has two of them on most systems, and only one listens.
  for (const hostname of ["127.0.0.1", "::1"]) {
    const probe = tryListen(hostname);
    if (probe === undefined) continue;
    using server = probe;
    const { port } = server.addr as Deno.NetAddr;
    const client = await connect({
      hostname: "localhost",
      port,
      engine: "native",
      socket: { data() {} },
    }).catch(() => undefined);
    // "localhost" need not mean both.
    if (client === undefined) {
      assertEquals(hostname, "::1");
      continue;
    }
    assertEquals([client.remoteAddress, client.remotePort], [hostname, port]);
    (await server.accept()).close();
    client.end();
  }
});

function tryListen(hostname: string): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname, port: 0 });
  } catch {
    return undefined;
  }
}

nativeTest("TCP: a paused socket holds its peer back", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = 0;
  let accepted: { resume(): void } | undefined;
  using server = listen({
    ...loopback,
    socket: {
      open(socket) {
        socket.pause();
        accepted = socket;
      },
      data: (_, bytes) => void (received += bytes.length),
      close: () => resolve(),
    },
  });
  using client = await Deno.connect({ ...loopback, port: server.port });
  const bytes = new Uint8Array(64 * 2 ** 20);
  let sent = 0;
  const writing = (async () => {
    while (sent < bytes.length) {
      sent += await client.write(bytes.subarray(sent));
    }
    client.closeWrite();
  })();
  // As much as the system and the ring hold, and then nothing.
  let before = -1;
  while (sent === 0 || sent !== before) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert(sent < bytes.length, `${sent} bytes were taken`);
  assertEquals(received, 0);
  accepted!.resume();
  await writing;
  await promise;
  assertEquals(received, bytes.length);
});

nativeTest(
  "TCP: what was accepted when a listener stops is closed",
  async () => {
    const server = listen({ ...loopback, socket: { data() {} } });
    const { port } = server;
    // Keeps the threads.
    using other = listen({ ...loopback, socket: { data() {} } });
    const pending = Deno.connect({ hostname: "127.0.0.1", port });
    // The I/O thread accepts while JavaScript looks elsewhere.
    const waiter = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(waiter, 0, 0, 100);
    server.stop();
    assert(other.port !== port);
    using client = await pending.catch(() => undefined) ??
      { [Symbol.dispose]() {} };
    if ("read" in client) {
      const end = await client.read(new Uint8Array(1)).catch(() => null);
      assertEquals(end, null);
    }
  },
);
