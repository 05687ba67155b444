/** Writes, backpressure, pauses. */
import { type CaseSocket, loopback, type TcpCase, turns } from "../case.ts";

const MEGABYTE = 2 ** 20;

/** Writes all of it, going on whenever there is room. */
function writeAll(socket: CaseSocket, bytes: Uint8Array): void {
  const { state } = socket.data;
  while (state.sent < bytes.length) {
    const taken = socket.write(bytes.subarray(state.sent));
    if (taken <= 0) return;
    state.sent += taken;
  }
  socket.end();
}

/** The cases of this file. */
export const writing: TcpCase[] = [
  {
    name: "write counts UTF-8 bytes, and takes parts of data",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      const bytes = new TextEncoder().encode("abcde");
      const writes = [
        [""],
        ["é"],
        [bytes],
        [bytes, 1, 2],
        [bytes, 0, 0],
        [bytes, undefined, 2],
        [bytes.buffer],
        [new DataView(bytes.buffer, 3)],
        [new Uint16Array(bytes.buffer.slice(0, 4))],
        [bytes.subarray(1, 4), 1, 1],
        ["text", 1, 2],
      ];
      for (const arguments_ of writes) {
        log("client", `${client.write(...arguments_)}`);
      }
      log("client", `${client.bytesWritten}`);
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: [
        "0",
        "2",
        "5",
        "2",
        "0",
        "2",
        "5",
        "2",
        "4",
        "1",
        "2",
        "25",
      ],
      server: ["open", "data éabcdebcababcdedeabcdcex", "end", "close"],
    },
  },
  {
    name: "an offset alone means the rest",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      const bytes = new TextEncoder().encode("abcde");
      log("client", `${client.write(bytes, 2)} ${client.write(bytes, 5)}`);
      log("client", `${client.end(bytes, 4)}`);
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["3 0", "1"],
      server: ["open", "data cdee", "end", "close"],
    },
    bun: "throws: it takes the length of the whole as default",
  },
  {
    name: "bytes may be changed after they were written",
    async run({ listen, connect, record, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      const bytes = new TextEncoder().encode("first");
      client.write(bytes);
      bytes.fill(120);
      client.end(bytes);
      bytes.fill(121);
      await until("server", "close");
      server.stop();
    },
    expect: { server: ["open", "data firstxxxxx", "end", "close"] },
  },
  {
    name: "wrong arguments throw and send nothing",
    async run({ listen, connect, record, log, until }) {
      const server = listen({ ...loopback, socket: record("server") });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      const bytes = new Uint8Array(5);
      const writes = [
        [5],
        [null],
        [{}],
        [[1]],
        [bytes, 6],
        [bytes, -1],
        [bytes, 0, 6],
        [bytes, 1, 5],
        [bytes, 0, -1],
      ];
      for (const arguments_ of writes) {
        for (const method of ["write", "end"]) {
          try {
            client[method](...arguments_);
            log("client", `took ${arguments_}`);
          } catch (error) {
            const { name, code } = error as Error & { code: string };
            log("client", `${name} ${code}`);
          }
        }
      }
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: [
        ...Array(8).fill("TypeError ERR_INVALID_ARG_TYPE"),
        ...Array(10).fill("RangeError ERR_OUT_OF_RANGE"),
      ],
      server: ["open", "end", "close"],
    },
  },
  {
    name: "backpressure takes a part, then nothing; drain follows",
    async run({ listen, connect, log, until }) {
      let accepted: CaseSocket;
      let received = 0;
      const server = listen({
        ...loopback,
        socket: {
          open(socket: CaseSocket) {
            accepted = socket;
            socket.pause();
            log("server", "paused");
          },
          data: (_: unknown, data: Uint8Array) => received += data.length,
          close: () => log("server", "close"),
        },
      });
      const big = new Uint8Array(16 * MEGABYTE);
      let drains = 0;
      const client = await connect({
        ...loopback,
        port: server.port,
        data: { state: { sent: 0 } },
        socket: {
          data() {},
          drain(socket: CaseSocket) {
            if (drains++ === 0) log("client", "drain");
            writeAll(socket, big);
          },
        },
      });
      await until("server", "paused");
      let taken = client.write(big);
      log("client", `part ${taken > 0 && taken < big.length}`);
      client.data.state.sent = taken;
      // What the system has room for may grow once.
      while ((taken = client.write(big)) > 0) client.data.state.sent += taken;
      log("client", `nothing ${taken}`);
      accepted.resume();
      await until("server", "close");
      log("server", `${received === big.length}`);
      log("client", `${client.bytesWritten === big.length}`);
      server.stop();
    },
    expect: {
      client: ["part true", "nothing 0", "drain", "true"],
      server: ["paused", "close", "true"],
    },
  },
  {
    name: "end() delivers all of its bytes to a slow reader",
    async run({ listen, connect, log, until }) {
      let accepted: CaseSocket;
      let received = 0;
      const server = listen({
        ...loopback,
        socket: {
          open(socket: CaseSocket) {
            accepted = socket;
            socket.pause();
            log("server", "paused");
          },
          data: (_: unknown, data: Uint8Array) => received += data.length,
          close: () => log("server", "close"),
        },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      await until("server", "paused");
      log("client", `${client.end(new Uint8Array(16 * MEGABYTE))}`);
      await turns();
      accepted.resume();
      await until("server", "close");
      log("server", `${received}`);
      server.stop();
    },
    expect: {
      client: [`${16 * MEGABYTE}`],
      server: ["paused", "close", `${16 * MEGABYTE}`],
    },
    bun: "drops what the system has no room for",
  },
  {
    name: "what was written before the peer's end arrives",
    async run({ listen, rawClient, log, until }) {
      const server = listen({
        ...loopback,
        socket: {
          open(socket: CaseSocket) {
            log("server", `${socket.write(new Uint8Array(MEGABYTE))}`);
          },
          data() {},
          end: () => log("server", "end"),
        },
      });
      const client = await rawClient("ignored", server.port);
      let received = 0;
      client.removeAllListeners("data");
      client.pause();
      client.on("data", (bytes) => received += bytes.length);
      client.pause();
      client.end();
      await until("server", "end");
      client.resume();
      await until("ignored", "close");
      log("client", `${received}`);
      server.stop(true);
    },
    expect: {
      server: [`${MEGABYTE}`, "end"],
      client: [`${MEGABYTE}`],
      ignored: ["end", "close"],
    },
  },
  {
    name: "pause stops data and end, resume brings them in order",
    async run({ listen, rawClient, record, log, until }) {
      let accepted: CaseSocket;
      const server = listen({
        ...loopback,
        socket: record("server", {
          open: (socket: CaseSocket) => accepted = socket,
        }),
      });
      const client = await rawClient("client", server.port);
      await until("server", "open");
      accepted.pause();
      client.write("one ");
      await turns();
      client.end("two");
      await turns();
      log("server", "resumed");
      accepted.resume();
      await until("server", "close");
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "resumed", "data one two", "end", "close"],
      client: ["end", "close"],
    },
  },
  {
    name: "pausing in data holds back what comes next",
    async run({ listen, rawClient, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          data(socket: CaseSocket) {
            socket.pause();
            setTimeout(() => socket.resume(), 5);
          },
        }),
      });
      const client = await rawClient("client", server.port);
      for (const letter of "abcdef") {
        client.write(letter);
        await turns(2);
      }
      client.end();
      await until("server", "close");
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "data abcdef", "end", "close"],
      client: ["end", "close"],
    },
  },
  {
    name: "writes of one byte arrive in order",
    async run({ listen, rawClient, record, until }) {
      const server = listen({
        ...loopback,
        socket: record("server", {
          data: (socket: CaseSocket, data: Uint8Array) => socket.write(data),
        }),
      });
      const client = await rawClient("client", server.port);
      client.setNoDelay(true);
      const text = "The quick brown fox jumps over the lazy dog";
      for (const letter of text) {
        client.write(letter);
        await turns(0);
      }
      await until("client", `data ${text}`);
      client.end();
      await until("client", "close");
      await until("server", "close");
      server.stop();
    },
    expect: {
      server: [
        "open",
        "data The quick brown fox jumps over the lazy dog",
        "end",
        "close",
      ],
      client: [
        "data The quick brown fox jumps over the lazy dog",
        "end",
        "close",
      ],
    },
  },
  {
    name: "socket options say whether they were set",
    async run({ listen, connect, log, until }) {
      const server = listen({
        ...loopback,
        socket: { data() {}, close: () => log("server", "close") },
      });
      const client = await connect({
        ...loopback,
        port: server.port,
        socket: { data() {} },
      });
      log("client", `${client.setNoDelay()} ${client.setNoDelay(false)}`);
      log("client", `${client.setKeepAlive()} ${client.setKeepAlive(true)}`);
      log("client", `${client.flush()} ${client.alpnProtocol}`);
      log("client", `${client.authorized} ${client.getServername()}`);
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: [
        "true true",
        "true true",
        "undefined false",
        "false undefined",
      ],
      server: ["close"],
    },
  },
];
