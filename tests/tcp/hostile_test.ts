/** Handlers and peers that misbehave; nothing may crash, hang or leak. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect as connectRaw, type Socket as NodeSocket } from "node:net";
import type { Socket } from "../../src/tcp/socket_types.ts";
import { subjects } from "./engines.ts";

const loopback = { hostname: "127.0.0.1", port: 0 } as const;

function raw(port: number): Promise<NodeSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectRaw(
      { port, host: "127.0.0.1", allowHalfOpen: true },
      () => resolve(socket),
    );
    socket.on("error", reject);
  });
}

/** Collects errors that nobody handles while `run` runs. */
async function uncaught(
  type: "error" | "unhandledrejection",
  run: () => Promise<void>,
): Promise<string[]> {
  const messages: string[] = [];
  function listener(event: Event): void {
    event.preventDefault();
    const { error, reason } = event as ErrorEvent & PromiseRejectionEvent;
    messages.push((error ?? reason).message);
  }
  globalThis.addEventListener(type, listener);
  try {
    await run();
    await new Promise((resolve) => setTimeout(resolve, 0));
  } finally {
    globalThis.removeEventListener(type, listener);
  }
  return messages;
}

for (const { name: engine, listen, connect, test } of subjects) {
  test("without an error handler, a throw is an error event", async () => {
    const messages = await uncaught("error", async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      using server = listen({
        ...loopback,
        socket: {
          data(socket, data) {
            socket.write(data);
            throw new Error("in data");
          },
          close() {
            resolve();
            throw new Error("in close");
          },
        },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data: (socket) => void socket.end() },
      });
      client.write("x");
      await promise;
    });
    assertEquals(messages, ["in data", "in close"]);
  });

  test("a throw in error is an error event", async () => {
    const messages = await uncaught("error", async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      using server = listen({
        ...loopback,
        socket: {
          open() {
            throw new Error("in open");
          },
          data() {},
          error(_, { message }) {
            throw new Error(`after ${message}`);
          },
          close: () => resolve(),
        },
      });
      await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      await promise;
    });
    assertEquals(messages, ["after in open"]);
  });

  test("what is not prevented is printed, and the server goes on", async () => {
    const printed: unknown[][] = [];
    const { error } = console;
    console.error = (...values) => void printed.push(values);
    try {
      using server = listen({
        ...loopback,
        socket: {
          data(socket) {
            socket.write("x");
            throw new Error("printed");
          },
        },
      });
      for (let count = 0; count < 2; count++) {
        const { promise, resolve } = Promise.withResolvers<void>();
        using client = await connect({
          ...loopback,
          port: server.port,
          socket: { data: () => resolve() },
        });
        client.write("x");
        await promise;
      }
    } finally {
      console.error = error;
    }
    assertEquals(printed.length, 2);
    assertEquals((printed[0]![1] as Error).message, "printed");
  });

  test("rejections of handlers are unhandled rejections", async () => {
    const messages = await uncaught("unhandledrejection", async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      using server = listen({
        ...loopback,
        socket: {
          open: () => Promise.reject(new Error("open")),
          data(socket, data) {
            socket.write(data);
            return Promise.reject(new Error("data"));
          },
          error: () => resolve(),
        },
      });
      using client = await connect({
        ...loopback,
        port: server.port,
        socket: { data: () => resolve() },
      });
      client.write("still open");
      await promise;
    });
    assertEquals(messages, ["open", "data"]);
  });

  test("without connectError, a refused connection rejects", async () => {
    const server = listen({ ...loopback, socket: { data() {} } });
    const { port } = server;
    server.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const options = { ...loopback, port, socket: { data() {} } };
    const error = await assertRejects(() => connect(options), Error, "refused");
    assertEquals((error as { code?: string }).code, "ECONNREFUSED");
    const unhandled = await uncaught("unhandledrejection", async () => {
      connect(options);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    assertEquals(unhandled.length, 1);
  });

  test("resets at any time are closes", async () => {
    let open = 0;
    const closed: (string | undefined)[] = [];
    const acts: ((client: NodeSocket) => void)[] = [
      (client) => client.resetAndDestroy(),
      (client) => client.write("x", () => client.resetAndDestroy()),
      (client) => client.end("x", () => client.destroy()),
      (client) => client.once("data", () => client.resetAndDestroy()),
      (client) => client.once("data", () => client.destroy()),
    ];
    using server = listen({
      ...loopback,
      socket: {
        open(socket) {
          open++;
          socket.write(new Uint8Array(300_000));
        },
        data: (socket, data) => void socket.write(data),
        close(_, error) {
          closed.push((error as { code?: string } | undefined)?.code);
        },
      },
    });
    for (let index = 0; index < acts.length * 10; index++) {
      const client = await raw(server.port);
      client.removeAllListeners("error").on("error", () => {});
      const gone = new Promise((resolve) => client.on("close", resolve));
      acts[index % acts.length]!(client);
      await gone;
    }
    // Those that were reset before they were accepted have never been there.
    const { promise, resolve } = Promise.withResolvers<void>();
    await connect({
      ...loopback,
      port: server.port,
      socket: {
        data(socket) {
          socket.end();
          resolve();
        },
      },
    });
    await promise;
    while (closed.length < open) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert(open > acts.length * 3, `${open}`);
    for (const code of closed) {
      assert([undefined, "ECONNRESET", "EPIPE"].includes(code), code);
    }
  });

  test("a write to a peer that is gone closes a half-open socket", async () => {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    using server = listen({
      ...loopback,
      allowHalfOpen: true,
      socket: {
        data() {},
        async end(socket) {
          while (socket.write("x") !== -1) {
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        },
        close: (_, error) => resolve(error),
      },
    });
    const client = await raw(server.port);
    client.destroy();
    const error = await promise as Error & { code: string; syscall: string };
    assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
    assertEquals(error.syscall, "write");
  });

  test("terminate drops a backlog, and resolves nothing twice", async () => {
    const events: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const fill = (socket: Socket) => {
      while (socket.write(new Uint8Array(100_000)) > 0);
    };
    using server = listen({
      ...loopback,
      socket: {
        open(socket) {
          fill(socket);
          setTimeout(() => {
            socket.terminate();
            events.push(`${socket.write("x")}`);
            socket.terminate();
            socket.end();
            resolve();
          }, 10);
        },
        data() {},
        drain(socket) {
          if (events.length > 0) events.push("drain");
          fill(socket);
        },
        close: (_, error) => void events.push(`close ${error}`),
      },
    });
    const client = await raw(server.port);
    client.pause();
    await promise;
    client.destroy();
    assertEquals(events, ["close undefined", "-1"]);
  });

  test("a peer that goes on sending after end() does no harm", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let received = "";
    using server = listen({
      ...loopback,
      socket: {
        open: (socket) => void socket.end("that is all"),
        data: () => void (received += "never"),
      },
    });
    const client = await raw(server.port);
    client.on("data", (data) => void (received += data));
    client.on("end", () => {
      for (let count = 0; count < 50; count++) {
        client.write(new Uint8Array(100_000));
      }
      client.end();
    });
    client.on("close", () => resolve());
    await promise;
    assertEquals(received, "that is all");
  });

  test("peers that leave before they are accepted hold up nobody", async () => {
    using server = listen({
      ...loopback,
      socket: { open: (socket) => void socket.end("hello"), data() {} },
    });
    for (let count = 0; count < 200; count++) {
      const client = await raw(server.port);
      client.resetAndDestroy();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    await connect({
      ...loopback,
      port: server.port,
      socket: { data: () => resolve() },
    });
    // With a pause for each of the others it would take 20 seconds.
    await Promise.race([
      promise,
      new Promise((_, reject) =>
        AbortSignal.timeout(10_000).addEventListener("abort", reject)
      ),
    ]);
  });

  test("300 connections at once", async () => {
    let open = 0;
    let closed = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    using server = listen({
      ...loopback,
      socket: {
        open: () => void open++,
        data: (socket, data) => void socket.write(data),
        close() {
          if (++closed === 300) resolve();
        },
      },
    });
    await Promise.all(Array.from({ length: 300 }, async (_, index) => {
      const text = `number ${index}`;
      const { promise, resolve } = Promise.withResolvers<void>();
      let received = "";
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: {
          data(_, data) {
            received += data;
            if (received.length === text.length) resolve();
          },
        },
      });
      client.write(text);
      await promise;
      assertEquals(received, text);
      client.end();
    }));
    await promise;
    assertEquals([open, closed], [300, 300]);
  });

  test("one socket that waits does not hold up another", async () => {
    using server = listen({
      ...loopback,
      socket: {
        open(socket) {
          while (socket.write(new Uint8Array(100_000)) > 0);
        },
        data() {},
      },
    });
    const waiting = await raw(server.port);
    waiting.pause();
    const { promise, resolve } = Promise.withResolvers<void>();
    using _client = await connect({
      ...loopback,
      port: server.port,
      socket: { data: () => resolve() },
    });
    await promise;
    waiting.destroy();
  });

  test("nothing is delivered after close, whatever is under way", async () => {
    const late: string[] = [];
    let closed = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const after = (event: string) => () => {
      if (closed) late.push(event);
    };
    using server = listen({
      ...loopback,
      socket: {
        data(socket) {
          socket.timeout(0.001);
          socket.pause();
          while (socket.write(new Uint8Array(100_000)) > 0);
          socket.end("last");
          setTimeout(resolve, 20);
        },
        close() {
          if (closed) late.push("close");
          closed = true;
        },
        end: after("end"),
        drain: after("drain"),
        timeout: after("timeout"),
        error: after("error"),
      },
    });
    const client = await raw(server.port);
    let received = 0;
    client.on("data", (data) => received += data.length);
    client.write("x");
    await promise;
    client.end("y");
    await new Promise((resolve) => client.on("close", resolve));
    assertEquals(late, []);
    assert(received >= 2 ** 20, `${received}`);
  });

  for (
    const [name, code, output] of [
      ["an open listener and socket that are unref'd", "unref", "end\n"],
      ["a timeout", "timeout", "end\n"],
    ] as const
  ) {
    test(`${name} let the process end`, async () => {
      const source = new URL("../../src/", import.meta.url).href;
      const script = `
      import { listen } from "${source}listen.ts";
      import { connect } from "${source}connect.ts";
      const server = listen({
        hostname: "127.0.0.1",
        port: 0,
        engine: "${engine}",
        socket: { open: (socket) => socket.unref(), data() {} },
      });
      const client = await connect({
        hostname: "127.0.0.1",
        port: server.port,
        engine: "${engine}",
        socket: { data() {} },
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      if ("${code}" === "unref") {
        client.unref();
        server.unref();
      } else {
        client.timeout(1000);
        server.stop(true);
      }
      console.log("end");`;
      const { code: status, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-check", script],
        signal: AbortSignal.timeout(10_000),
      }).output();
      assertEquals([status, new TextDecoder().decode(stdout)], [0, output]);
    });
  }
}
