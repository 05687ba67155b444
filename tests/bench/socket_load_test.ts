import { assert, assertEquals, assertRejects } from "@std/assert";
import { SocketLoad } from "../../bench/load/socket_load.ts";
import { compile, findCompiler } from "../../bench/tools/compiler.ts";

const compiler = await findCompiler();
if (compiler === undefined) {
  console.warn(
    "Skipped tests of the socket client: no C compiler found, install one or set CC",
  );
}

/** The client, compiled; and what to call when it is not needed any more. */
async function client() {
  const folder = await Deno.makeTempDir({ prefix: "client-" });
  const sources = new URL("../../bench/load/sockets", import.meta.url).pathname;
  const program = await compile(compiler!, sources, `${folder}/sockets`);
  return {
    program,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A TCP server that answers what it receives, changed. */
function tcpServer(answer: (bytes: Uint8Array) => Uint8Array) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served: Promise<void>[] = [];
  async function serve(connection: Deno.TcpConn): Promise<void> {
    using _ = connection;
    const buffer = new Uint8Array(64 * 1024);
    try {
      while (true) {
        const count = await connection.read(buffer);
        if (count === null) break;
        // Short writes do not occur: there is always room for one message.
        await connection.write(answer(buffer.slice(0, count)));
      }
    } catch {
      // The client has left in the middle.
    }
  }
  const accepting = (async () => {
    for await (const connection of listener) served.push(serve(connection));
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(served);
    },
  };
}

Deno.test({
  name: "socket client: counts echoes, run after run",
  ignore: compiler === undefined,
  async fn() {
    await using built = await client();
    await using server = tcpServer((bytes) => bytes);
    await using load = await SocketLoad.connect(built.program, {
      port: server.port,
      protocol: "tcp",
      exchange: "echo",
      connections: 3,
      size: 64,
    });
    for (let run = 0; run < 2; run++) {
      const { operations, seconds, p50, p99 } = await load.run(0.1);
      assert(operations >= 3);
      assert(seconds >= 0.1);
      assert(p50! > 0 && p99! >= p50!);
    }
  },
});

Deno.test({
  name: "socket client: one wrong byte ends the run",
  ignore: compiler === undefined,
  async fn() {
    await using built = await client();
    await using server = tcpServer((bytes) => bytes.fill(0x21, 63));
    await using load = await SocketLoad.connect(built.program, {
      port: server.port,
      protocol: "tcp",
      exchange: "echo",
      connections: 1,
      size: 64,
    });
    await assertRejects(() => load.run(0.1), Error, "Wrong answer");
  },
});

Deno.test({
  name: "socket client: WebSocket echo, fan-out, pings and texts with a time",
  ignore: compiler === undefined,
  async fn() {
    await using built = await client();
    const sockets = new Set<WebSocket>();
    let sendsTime = false;
    let isPublish = false;
    const timer = setInterval(() => {
      if (!sendsTime) return;
      for (const socket of sockets) socket.send(String(Date.now() * 1000));
    }, 10);
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onopen = () => sockets.add(socket);
        socket.onclose = () => sockets.delete(socket);
        socket.onmessage = ({ data }) => {
          if (!isPublish) return socket.send(data);
          for (const other of sockets) other.send(data);
        };
        return response;
      },
    );
    const target = {
      port: server.addr.port,
      protocol: "websocket",
      connections: 5,
      size: 32,
    } as const;
    try {
      for (const exchange of ["echo", "publish", "ping", "receive"] as const) {
        isPublish = exchange === "publish";
        sendsTime = exchange === "receive";
        await using load = await SocketLoad.connect(built.program, {
          ...target,
          exchange,
          rate: 200,
        });
        const { operations } = await load.run(0.2);
        assert(operations > 0, exchange);
        if (isPublish) assertEquals(operations % 5, 0);
      }
    } finally {
      clearInterval(timer);
      for (const socket of sockets) socket.close();
    }
  },
});

Deno.test({
  name: "socket client: says that nobody listens",
  ignore: compiler === undefined,
  async fn() {
    await using built = await client();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await assertRejects(
      () =>
        SocketLoad.connect(built.program, {
          port,
          protocol: "tcp",
          exchange: "idle",
          connections: 1,
        }),
      Error,
      "Cannot connect",
    );
  },
});
