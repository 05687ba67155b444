/** Half-open connections, resets, and other ends. */
import { type CaseSocket, loopback, type TcpCase, turns } from "../case.ts";

/** The cases of this file. */
export const closing: TcpCase[] = [
  {
    name: "without allowHalfOpen the peer's end closes, after the end handler",
    async run({ listen, rawClient, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          end: (socket: CaseSocket) => socket.write("goodbye"),
        }),
      });
      const client = await rawClient("client", server.port);
      client.end("hello");
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "data hello", "end", "close"],
      client: ["data goodbye", "end", "close"],
    },
  },
  {
    name: "with allowHalfOpen a socket can be written to after the peer's end",
    async run({ listen, rawClient, record, log, until }) {
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        allowHalfOpen: true,
        socket: record("server", {
          open: (socket: CaseSocket) => accepted = socket,
        }),
      });
      const client = await rawClient("client", server.port);
      client.end("hello");
      await until("server", "end");
      await turns();
      log("server", `${accepted.readyState} ${accepted.write("one ")}`);
      await until("client", "data one ");
      log("server", `${accepted.end("two")}`);
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "data hello", "end", "1 4", "close", "3"],
      client: ["data one two", "end", "close"],
    },
  },
  {
    name: "shutdown ends the sending side only",
    async run({ listen, connect, record, log, until }) {
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        allowHalfOpen: true,
        socket: record("server", {
          open: (socket: CaseSocket) => accepted = socket,
        }),
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      client.write("question");
      client.shutdown();
      log("client", `write ${client.write("x")} end ${client.end("x")}`);
      await until("server", "end");
      accepted.write("answer");
      await until("client", "data answer");
      log("client", `${client.readyState}`);
      client.shutdown();
      accepted.end();
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "data question", "end", "close"],
      client: ["open", "write -1 end -1", "data answer", "1", "end", "close"],
    },
    bun: "does not call end if the socket itself was shut down before",
  },
  {
    name: "a socket closes when both sides have shut down",
    async run({ listen, rawClient, record, log, until }) {
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        allowHalfOpen: true,
        socket: record("server", {
          open: (socket: CaseSocket) => accepted = socket,
        }),
      });
      const client = await rawClient("client", server.port);
      client.end();
      await until("server", "end");
      accepted.shutdown();
      await until("server", "close");
      log("server", `${accepted.readyState} ${accepted.write("x")}`);
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "end", "close", "-1 -1"],
      client: ["end", "close"],
    },
  },
  {
    name: "shutdown(true) stops receiving and goes on sending",
    async run({ listen, rawClient, record, until }) {
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        allowHalfOpen: true,
        socket: record("server", {
          open: (socket: CaseSocket) => accepted = socket,
        }),
      });
      const client = await rawClient("client", server.port);
      await until("server", "open");
      accepted.shutdown(true);
      await until("server", "end");
      client.write("nobody listens");
      await turns();
      accepted.write("still sending");
      await until("client", "data still sending");
      accepted.end();
      client.end();
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "end", "close"],
      client: ["data still sending", "end", "close"],
    },
    bun: "still delivers what arrives",
  },
  {
    name: "a reset is close with ECONNRESET and no end",
    async run({ listen, rawClient, record, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await rawClient("client", server.port);
      client.removeAllListeners("end").removeAllListeners("close");
      await until("server", "open");
      client.write("hello");
      await until("server", "data hello");
      client.resetAndDestroy();
      await until("server", "close ECONNRESET");
      server.stop();
    },
    expect: { server: ["open", "data hello", "close ECONNRESET"] },
  },
  {
    name: "terminate closes at once",
    async run({ listen, connect, record, log, until }) {
      const server = listen({
        ...loopback,
        socket: { data() {}, close: () => log("server", "close") },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      client.terminate();
      log("client", `${client.readyState} ${client.write("x")}`);
      client.terminate();
      await until("server", "close");
      server.stop();
    },
    expect: { client: ["open", "close", "-1 -1"], server: ["close"] },
  },
  {
    name: "terminate resets the connection",
    skip: { deno: "the platform cannot reset connections" },
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      await until("server", "open");
      client.terminate();
      await until("server", "close ECONNRESET");
      server.stop();
    },
    expect: {
      client: ["open", "close"],
      server: ["open", "close ECONNRESET"],
    },
  },
  {
    name: "close() closes as end() does",
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      client.write("last words");
      client.close();
      client.close();
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["open", "close"],
      server: ["open", "data last words", "end", "close"],
    },
  },
  {
    name: "sockets may be closed in every handler",
    async run({ listen, connect, record, until }) {
      const end = (socket: CaseSocket) => void socket.end();
      const server = listen({
        ...loopback,
        socket: record("server", {
          data: end,
          end,
          close: end,
        }),
      });
      const first = await connect({
        ...loopback,
        port: server.port,
        socket: record("first", { close: end }),
      });
      first.write("x");
      await until("first", "close");
      await connect({
        ...loopback,
        port: server.port,
        socket: record("second", { open: end, close: end }),
      });
      await until("server", "close", 2);
      server.stop();
    },
    expect: {
      server: ["open", "data x", "close", "open", "end", "close"],
      first: ["open", "end", "close"],
      second: ["open", "close"],
    },
  },
  {
    name: "what was written in one turn arrives whole, then the end",
    async run({ listen, rawClient, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          open(socket: CaseSocket) {
            socket.write("a");
            socket.write("b");
            socket.end("c");
          },
        }),
      });
      const client = await rawClient("client", server.port);
      await until("client", "end");
      client.end();
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "close"],
      client: ["data abc", "end", "close"],
    },
  },
  {
    name: "everything else is harmless on a closed socket",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      client.end();
      for (
        const method of [
          "flush",
          "pause",
          "resume",
          "ref",
          "unref",
          "shutdown",
          "close",
          "terminate",
        ]
      ) client[method]();
      client.timeout(1);
      log("client", `${client.setNoDelay()} ${client.setKeepAlive(true)}`);
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["open", "close", "false false"],
      server: ["open", "end", "close"],
    },
  },
];
