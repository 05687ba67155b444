/** Handlers that throw, and connections that do not come about. */
import { type CaseSocket, loopback, type TcpCase, turns } from "../case.ts";

function fail(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

/** The cases of this file. */
export const errors: TcpCase[] = [
  {
    name: "a throw in open calls error, then closes",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", { open: fail("oops") }),
      });
      await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "error oops", "close"],
      client: ["open", "end", "close"],
    },
  },
  {
    name: "a throw in open of a client closes, and connect resolves",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client", { open: fail("oops") }),
      });
      log("client", `resolved ${client.readyState}`);
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["open", "error oops", "close", "resolved -1"],
      server: ["open", "end", "close"],
    },
  },
  {
    name: "a throw in data calls error and keeps the socket",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", { data: fail("oops") }),
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.write("a");
      await until("server", "error oops");
      client.end("b");
      await until("server", "close");
      server.stop();
    },
    expect: {
      server: [
        "open",
        "data a",
        "error oops",
        "data b",
        "error oops",
        "end",
        "close",
      ],
    },
  },
  {
    name: "throws in end and close call error too",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          end: fail("in end"),
          close: fail("in close"),
        }),
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.end();
      await until("server", "error in close");
      server.stop();
    },
    expect: {
      server: ["open", "end", "error in end", "close", "error in close"],
    },
  },
  {
    name: "a refused connection calls connectError, then rejects",
    async run({ listen, connect, record, log }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      const { port } = server;
      server.stop(true);
      await turns();
      const options = { ...loopback, port, data: "mine" };
      try {
        await connect({
          ...options,
          socket: record("client", {
            connectError(socket: CaseSocket) {
              log("client", `${socket.data} ${socket.readyState}`);
              log("client", `${socket.write("x")} ${socket.end()}`);
            },
          }),
        });
      } catch (error) {
        const { code, syscall } = error as { code: string; syscall: string };
        log("client", `rejected ${error instanceof Error} ${code} ${syscall}`);
      }
      await connect({ ...options, socket: { data() {} } }).catch((error) =>
        log("other", error.code)
      );
      // Nothing is unhandled if connectError has been told.
      connect({ ...options, socket: record("third") });
      await turns();
    },
    expect: {
      client: [
        "connectError ECONNREFUSED",
        "mine -1",
        "-1 -1",
        "rejected true ECONNREFUSED connect",
      ],
      other: ["ECONNREFUSED"],
      third: ["connectError ECONNREFUSED"],
    },
  },
  {
    name: "a throw in connectError is what connect rejects with",
    async run({ listen, connect, record, log }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      const { port } = server;
      server.stop(true);
      await turns();
      try {
        await connect({
          ...loopback,
          port,
          socket: record("client", { connectError: fail("mine") }),
        });
      } catch (error) {
        log("client", `rejected ${(error as Error).message}`);
      }
    },
    expect: { client: ["connectError ECONNREFUSED", "rejected mine"] },
  },
  {
    name: "a Unix socket that does not exist is ENOENT",
    async run({ connect, record, log, unixPath }) {
      try {
        await connect({ unix: unixPath, socket: record("client") });
      } catch (error) {
        log("client", `rejected ${(error as { code: string }).code}`);
      }
    },
    expect: { client: ["connectError ENOENT", "rejected ENOENT"] },
  },
  {
    name: "a port that is taken is EADDRINUSE, synchronously",
    async run({ listen, log }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      for (const exclusive of [false, true]) {
        try {
          listen({
            ...loopback,
            port: server.port,
            exclusive,
            socket: { data() {} },
          });
        } catch (error) {
          const { code, syscall } = error as { code: string; syscall: string };
          log("server", `${code} ${syscall}`);
        }
      }
      server.stop();
      await turns(0);
    },
    expect: { server: ["EADDRINUSE listen", "EADDRINUSE listen"] },
  },
];
