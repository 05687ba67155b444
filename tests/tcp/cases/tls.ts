/** TLS on both sides. */
import {
  type CaseSocket,
  loopback,
  type TcpApi,
  type TcpCase,
  turns,
} from "../case.ts";

const pair = (pem: TcpApi["pem"], name: string) => ({
  cert: pem(`${name}.pem`),
  key: pem(`${name}_key.pem`),
});

/** The cases of this file. */
export const tls: TcpCase[] = [
  {
    name: "without handshake handlers, open means that it has succeeded",
    async run({ listen, connect, record, log, until, pem }) {
      const state = (actor: string) => ({
        open(socket: CaseSocket) {
          log(actor, `${socket.authorized} ${socket.alpnProtocol}`);
        },
      });
      const server = listen({
        ...loopback,
        tls: pair(pem, "localhost"),
        socket: record("server", {
          ...state("server"),
          data: (socket: CaseSocket, data: Uint8Array) => socket.write(data),
        }),
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem") },
        socket: record("client", state("client")),
      });
      log("client", "resolved");
      await until("client", "open");
      log("client", `${client.getServername()}`);
      client.write("secret");
      await until("client", "data secret");
      client.end(" end");
      await until("server", "close");
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "false false", "data secret end", "end", "close"],
      client: [
        "resolved",
        "open",
        "true false",
        "localhost",
        "data secret",
        "close",
      ],
    },
    bun: "goes on receiving after end()",
  },
  {
    name: "with handshake handlers, open comes first",
    async run({ listen, connect, record, log, until, pem }) {
      const handlers = (actor: string) => ({
        open: (socket: CaseSocket) => log(actor, `${socket.authorized}`),
        handshake: (socket: CaseSocket) => log(actor, `${socket.authorized}`),
      });
      const server = listen({
        ...loopback,
        tls: pair(pem, "localhost"),
        socket: record("server", handlers("server")),
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem") },
        socket: record("client", handlers("client")),
      });
      log("client", "resolved");
      await until("client", "handshake true null");
      await until("server", "handshake true null");
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      server: [
        "open",
        "false",
        "handshake true null",
        "false",
        "end",
        "close",
      ],
      client: [
        "open",
        "false",
        "resolved",
        "handshake true null",
        "true",
        "close",
      ],
    },
    bun: "tells servers of a certificate that they did not ask for",
  },
  {
    name: "what is written before the handshake is sent after it",
    async run({ listen, connect, record, log, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, "localhost"),
        socket: record("server"),
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem") },
        socket: { data() {} },
      });
      log("client", `${client.write("early")} ${client.end(" bird")}`);
      await until("server", "close");
      server.stop();
    },
    expect: {
      client: ["5 5"],
      server: ["open", "data early bird", "end", "close"],
    },
    bun: "takes nothing before the handshake has ended",
  },
  ...[
    ["untrusted", {}, "localhost", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["ca", {}, "a_test", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["ca", { serverName: "b.test" }, "a_test", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ].map(([trust, options, name, code], index): TcpCase => ({
    name: `a certificate that is not right is refused (${index + 1})`,
    async run({ listen, connect, record, log, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, name as string),
        socket: { data() {}, handshake: () => log("server", "handshake") },
      });
      const ca = trust === "ca" ? { ca: pem("authority.pem") } : {};
      await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ...ca, ...options as object },
        socket: record("client", {
          handshake: (socket: CaseSocket) =>
            log("client", `${socket.authorized}`),
          close: () => log("client", "closed"),
        }),
      });
      await until("client", "closed");
      await until("server", "handshake");
      server.stop();
    },
    expect: {
      client: [
        "open",
        `handshake false ${code}`,
        "false",
        `close ${code}`,
        "closed",
      ],
      server: ["handshake"],
    },
    bun: "does not tell close why",
  })),
  {
    name: "rejectUnauthorized false goes on, and says what is wrong",
    async run({ listen, connect, record, log, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, "localhost"),
        socket: {
          data: (socket: CaseSocket, data: Uint8Array) => socket.end(data),
        },
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { rejectUnauthorized: false },
        socket: record("client", {
          handshake: (socket: CaseSocket) =>
            log("client", `${socket.authorized} ${socket.write("x")}`),
        }),
      });
      await until("client", "close");
      client.end();
      server.stop();
    },
    expect: {
      client: [
        "open",
        "handshake true UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "false 1",
        "data x",
        "end",
        "close",
      ],
    },
  },
  {
    name: "an expired certificate is served, and refused by clients",
    async run({ listen, connect, record, log, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, "expired"),
        socket: {
          data: (socket: CaseSocket, data: Uint8Array) => socket.end(data),
        },
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { rejectUnauthorized: false },
        socket: record("careless"),
      });
      await until("careless", "open");
      client.write("served");
      await until("careless", "close");
      await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem") },
        socket: {
          data() {},
          handshake: (_: unknown, success: boolean) =>
            log("careful", `handshake ${success}`),
          close: () => log("careful", "close"),
        },
      });
      await until("careful", "close");
      await turns();
      server.stop(true);
    },
    expect: {
      careless: ["open", "data served", "end", "close"],
      careful: ["handshake false", "close"],
    },
  },
  ...[
    ["\x02h2\x08http/1.1", "\x08http/1.1\x02h2", "h2"],
    ["\x08http/1.1", "\x02h2\x08http/1.1", "http/1.1"],
    ["\x02h2", undefined, "false"],
    [undefined, "\x02h2", "false"],
  ].map(([ours, theirs, chosen]): TcpCase => ({
    name: `ALPN ${JSON.stringify(ours)} and ${
      JSON.stringify(theirs)
    } is ${chosen}`,
    async run({ listen, connect, log, until, pem }) {
      const handlers = (actor: string) => ({
        data() {},
        handshake: (socket: CaseSocket) => log(actor, `${socket.alpnProtocol}`),
      });
      const server = listen({
        ...loopback,
        tls: { ...pair(pem, "localhost"), ALPNProtocols: ours },
        socket: handlers("server"),
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem"), ALPNProtocols: theirs },
        socket: handlers("client"),
      });
      log("client", `${client.alpnProtocol}`);
      await until("client", chosen!);
      await until("server", chosen!);
      client.end();
      await turns();
      server.stop(true);
    },
    expect: { server: [chosen!], client: ["null", chosen!] },
    bun: "alpnProtocol is false before the handshake has ended",
  })),
  {
    name: "no common protocol fails the handshake on both sides",
    async run({ listen, connect, record, until, pem }) {
      const server = listen({
        ...loopback,
        tls: { ...pair(pem, "localhost"), ALPNProtocols: "\x02h2" },
        socket: record("server", { handshake() {} }),
      });
      await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem"), ALPNProtocols: "\x03foo" },
        socket: record("client", { handshake() {} }),
      });
      await until("server", "handshake false EPROTO");
      await until("client", "handshake false EPROTO");
      await turns();
      server.stop();
    },
    expect: {
      server: ["open", "handshake false EPROTO", "close EPROTO"],
      client: ["open", "handshake false EPROTO", "close EPROTO"],
    },
    bun: "does not tell close why",
  },
  {
    name: "shutdown is a half-close over TLS too",
    async run({ listen, connect, record, until, pem }) {
      const server = listen({
        ...loopback,
        allowHalfOpen: true,
        tls: pair(pem, "localhost"),
        socket: record("server", {
          end(socket: CaseSocket) {
            socket.end("the answer");
          },
        }),
      });
      const client = await connect({
        hostname: "localhost",
        port: server.port,
        tls: { ca: pem("authority.pem") },
        socket: record("client", {
          open(socket: CaseSocket) {
            socket.write("the question");
            socket.shutdown();
          },
        }),
      });
      await until("client", "close");
      client.end();
      server.stop();
    },
    expect: {
      server: ["open", "data the question", "end", "close"],
      client: ["open", "data the answer", "end", "close"],
    },
  },
  {
    name: "something else than TLS fails the handshake and nothing more",
    async run({ listen, rawClient, record, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, "localhost"),
        socket: record("server", { handshake() {} }),
      });
      const client = await rawClient("client", server.port);
      client.removeAllListeners("data").resume();
      client.end("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await until("server", "handshake false EPROTO");
      await until("client", "close");
      server.stop();
    },
    expect: {
      server: ["open", "handshake false EPROTO", "close EPROTO"],
      client: ["end", "close"],
    },
    bun: "does not tell close why",
  },
  {
    name: "a server that does not speak TLS fails the handshake",
    async run({ listen, connect, record, until }) {
      const server = listen({
        ...loopback,
        socket: {
          open: (socket: CaseSocket) => socket.write("220 ready\r\n"),
          data() {},
        },
      });
      await connect({
        hostname: "127.0.0.1",
        port: server.port,
        tls: true,
        socket: record("client", { handshake() {} }),
      });
      await until("client", "handshake false EPROTO");
      await turns();
      server.stop(true);
    },
    expect: {
      client: ["open", "handshake false EPROTO", "close EPROTO"],
    },
    bun: "does not tell close why",
  },
  {
    name: "upgradeTLS goes on with TLS",
    async run({ listen, connect, record, log, until, pem }) {
      const server = listen({
        ...loopback,
        tls: pair(pem, "a_test"),
        socket: {
          data: (socket: CaseSocket, data: Uint8Array) => socket.write(data),
        },
      });
      const plain = await connect({
        ...loopback,
        port: server.port,
        data: "plain data",
        socket: record("plain"),
      });
      const [raw, upgraded] = plain.upgradeTLS({
        tls: { ca: pem("authority.pem"), serverName: "a.test" },
        data: "upgraded data",
        socket: record("upgraded", { handshake() {} }),
      });
      log("plain", `${plain.readyState} ${plain.write("x")} ${raw.data}`);
      await until("upgraded", "handshake true null");
      log("upgraded", `${upgraded.data} ${upgraded.getServername()}`);
      upgraded.write("over TLS");
      await until("upgraded", "data over TLS");
      upgraded.end();
      await until("plain", "close");
      await turns();
      server.stop(true);
    },
    expect: {
      plain: ["open", "-1 -1 plain data", "close"],
      upgraded: [
        "open",
        "handshake true null",
        "upgraded data a.test",
        "data over TLS",
        "close",
      ],
    },
    bun: "hands the encrypted bytes to the old handlers",
  },
];
