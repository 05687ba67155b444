/** What is called, in which order. */
import { type CaseSocket, loopback, type TcpCase, turns } from "../case.ts";

/** The cases of this file. */
export const events: TcpCase[] = [
  {
    name: "end() closes at once, and the peer sees data, end, close",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      log("client", `write ${client.write("hello ")}`);
      log("client", `end ${client.end("world")} ${client.readyState}`);
      log("client", `write ${client.write("x")} end ${client.end()}`);
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["open", "write 6", "close", "end 5 -1", "write -1 end -1"],
      server: ["open", "data hello world", "end", "close"],
    },
  },
  {
    name: "connect resolves after open and its microtasks",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      log("client", `resolved ${client.readyState}`);
      client.end();
      await until("client", "close");
      server.stop(true);
    },
    expect: { client: ["open", "resolved 1", "close"] },
  },
  {
    name: "a socket is this in every handler, and one object",
    async run({ listen, connect, log, until }) {
      let seen: unknown;
      function check(this: unknown, socket: unknown) {
        seen ??= socket;
        log("server", `${this === socket} ${seen === socket}`);
      }
      const server = listen({
        ...loopback,
        socket: { open: check, data: check, end: check, close: check },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.end("x");
      await until("server", "true true", 4);
      server.stop();
    },
    expect: { server: ["true true", "true true", "true true", "true true"] },
  },
  {
    name: "handlers may be bound, and inherited",
    async run({ listen, connect, log, until }) {
      class Handlers {
        name = "bound";
        open(): void {}
        data(): void {}
      }
      const handlers = new Handlers() as Handlers & { close?: unknown };
      handlers.close = function (this: Handlers) {
        log("server", this.name);
      }.bind(handlers);
      const server = listen({ ...loopback, socket: handlers });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.end();
      await until("server", "bound");
      server.stop();
    },
    expect: { server: ["bound"] },
  },
  {
    name: "data of the listener is that of its sockets until they replace it",
    async run({ listen, connect, log, until }) {
      const data = { name: "shared" };
      const server = listen({
        ...loopback,
        data,
        socket: {
          open(socket: { data: unknown }) {
            log("server", `${socket.data === data}`);
            socket.data = "own";
          },
          data(socket: { data: unknown }) {
            log("server", `${socket.data}`);
          },
        },
      });
      const options = { ...loopback, port: server.port };
      const client = await connect({ ...options, socket: { data() {} } });
      log("client", String(client.data));
      client.write("x");
      await until("server", "own");
      server.data = { name: "another" };
      const other = await connect({ ...options, socket: { data() {} } });
      await until("server", "false");
      client.end();
      other.end();
      server.stop(true);
    },
    expect: { server: ["true", "own", "false"], client: ["undefined"] },
  },
  {
    name: "sockets are extensible, with everything on the prototype",
    async run({ listen, connect, log, until }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      log("server", `${Object.keys(server)}`);
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {}, close: () => log("client", "close") },
      });
      log("client", `${Object.keys(client)}`);
      client.extra = 1;
      log("client", `${Object.keys(client)}`);
      client.end();
      await until("client", "close");
      server.stop(true);
    },
    expect: { server: [""], client: ["", "extra", "close"] },
  },
  {
    name: "addresses are those of both ends, also when closed",
    async run({ listen, connect, log, until }) {
      const address = (socket: CaseSocket) =>
        `${socket.localAddress} ${socket.localFamily} ` +
        `${socket.remoteAddress} ${socket.remoteFamily}`;
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        socket: {
          data() {},
          open(socket: CaseSocket) {
            accepted = socket;
            log("server", address(socket));
            log("server", `${socket.localPort === server.port}`);
          },
          close(socket: CaseSocket) {
            log("server", address(socket));
          },
        },
      });
      log("server", `${server.hostname} ${server.unix}`);
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      log("client", address(client));
      log("client", `${client.remotePort === server.port}`);
      await until("server", address(client));
      log("client", `${client.localPort === accepted.remotePort}`);
      client.end();
      await until("server", address(client), 2);
      server.stop();
    },
    expect: {
      client: ["127.0.0.1 IPv4 127.0.0.1 IPv4", "true", "true"],
      server: [
        "127.0.0.1 undefined",
        "127.0.0.1 IPv4 127.0.0.1 IPv4",
        "true",
        "127.0.0.1 IPv4 127.0.0.1 IPv4",
      ],
    },
  },
  {
    name: "listener is the one that accepted, while the socket is open",
    async run({ listen, connect, log, until }) {
      const server = listen({
        ...loopback,
        socket: {
          open: (socket: { listener: unknown }) =>
            log("server", `open ${socket.listener === server}`),
          data() {},
          close: (socket: { listener: unknown }) =>
            log("server", `close ${socket.listener}`),
        },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      log("client", `${client.listener}`);
      await until("server", "open true");
      client.end();
      await until("server", "close undefined");
      server.stop();
    },
    expect: { server: ["open true", "close undefined"], client: ["undefined"] },
  },
  ...["buffer", "arraybuffer", "uint8array", undefined].map((
    binaryType,
  ): TcpCase => ({
    name: `binaryType ${binaryType} owns its whole buffer`,
    async run({ listen, connect, log, until }) {
      const server = listen({
        ...loopback,
        socket: {
          binaryType,
          data(_: unknown, data: Uint8Array | ArrayBuffer) {
            const { byteLength } = data;
            const whole = "buffer" in data
              ? data.byteOffset === 0 && data.buffer.byteLength === byteLength
              : true;
            log("server", `${data.constructor.name} ${byteLength} ${whole}`);
          },
        },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.write("abc");
      const names: Record<string, string> = {
        arraybuffer: "ArrayBuffer",
        uint8array: "Uint8Array",
      };
      await until("server", `${names[binaryType ?? ""] ?? "Buffer"} 3 true`);
      client.end();
      server.stop(true);
    },
    expect: {
      server: [
        `${
          binaryType === "arraybuffer"
            ? "ArrayBuffer"
            : binaryType === "uint8array"
            ? "Uint8Array"
            : "Buffer"
        } 3 true`,
      ],
    },
  })),
  {
    name: "reload replaces all handlers of all sockets of a listener",
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: record("before") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      client.write("1");
      await until("before", "data 1");
      server.reload({ socket: record("after") });
      client.write("2");
      await until("after", "data 2");
      server.reload({ socket: { data() {} } });
      client.end("3");
      const other = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      other.end();
      await until("client", "close");
      await turns();
      server.stop(true);
    },
    expect: {
      before: ["open", "data 1"],
      after: ["data 2"],
      client: ["open", "close"],
    },
  },
  {
    name: "reload of a client concerns that client",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: {
          data: (socket: { write(data: unknown): void }, data: unknown) =>
            socket.write(data),
        },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("before"),
      });
      client.reload({ socket: record("after") });
      client.write("x");
      await until("after", "data x");
      client.end();
      server.stop(true);
    },
    expect: { before: ["open"], after: ["data x", "close"] },
  },
  {
    name: "reload takes the handlers themselves, as Bun's documentation does",
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("before"),
      });
      client.reload(record("after"));
      client.end();
      await until("after", "close");
      server.stop(true);
    },
    expect: { before: ["open"], after: ["close"] },
    bun: "throws: the handlers must be wrapped as socket",
  },
  {
    name: "stop() keeps sockets, stop(true) closes them",
    async run({ listen, connect, record, log, until }) {
      const sockets: { write(data: string): number }[] = [];
      const server = listen({
        ...loopback,
        socket: record("server", {
          open: (socket: typeof sockets[0]) => void sockets.push(socket),
        }),
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      await until("server", "open");
      server.stop();
      log("server", `write ${sockets[0]!.write("still here")}`);
      await until("client", "data still here");
      server.stop(true);
      log("server", "stopped");
      await until("client", "close");
      server.stop(true);
      log("client", `${client.readyState}`);
    },
    expect: {
      server: ["open", "write 10", "close", "stopped"],
      client: ["open", "data still here", "end", "close", "-1"],
    },
  },
  {
    name: "a handler may stop the listener",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", { open: () => server.stop(true) }),
      });
      await connect({
        ...loopback,
        port: server.port,
        socket: record("client"),
      });
      await until("client", "close");
    },
    expect: { server: ["open", "close"], client: ["open", "end", "close"] },
  },
  {
    name: "using ends sockets and listeners",
    async run({ listen, connect, record, until }) {
      {
        using server = listen({ ...loopback, socket: record("server") });
        using _client = await connect({
          ...loopback,
          port: server.port,
          socket: record("client"),
        });
        await until("server", "open");
      }
      await until("client", "close");
    },
    expect: { server: ["open", "close"], client: ["open", "close"] },
  },
  {
    name: "timeout calls once, and closes nothing",
    async run({ listen, connect, record, log, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          open(socket: { timeout(seconds: number): void }) {
            socket.timeout(0.01);
          },
          data(socket: { timeout(seconds: number): void }) {
            socket.timeout(0.01);
          },
        }),
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      await until("server", "timeout");
      await turns();
      client.write("again");
      await until("server", "timeout", 2);
      log("server", "still open");
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      server: [
        "open",
        "timeout",
        "data again",
        "timeout",
        "still open",
        "end",
        "close",
      ],
    },
    bun: "rounds to whole seconds, with a granularity of 4",
  },
  {
    name: "timeout(0), a later timeout and closing cancel a timeout",
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: { data() {} } });
      const port = server.port;
      const clients = await Promise.all(
        ["a", "b", "c"].map((actor) =>
          connect({ ...loopback, port, socket: record(actor) })
        ),
      );
      for (const client of clients) client.timeout(0.02);
      clients[0].timeout(0);
      clients[1].timeout(60);
      clients[2].end();
      await turns(60);
      for (const client of clients) client.end();
      await until("b", "close");
      server.stop(true);
    },
    expect: {
      a: ["open", "close"],
      b: ["open", "close"],
      c: ["open", "close"],
    },
  },
];
