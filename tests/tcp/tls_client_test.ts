/** TLS of clients, and servers that get it wrong on purpose. */
import { assert, assertEquals } from "@std/assert";
import {
  connect as connectRaw,
  createServer,
  type Socket as Raw,
} from "node:net";
import { type SubjectName, subjects } from "./engines.ts";
import type { TLSOptions } from "../../src/options/tls_options.ts";
import type { Socket, SocketHandler } from "../../src/tcp/socket_types.ts";
import { authority, pair } from "./tls_files.ts";

const loopback = { hostname: "127.0.0.1", port: 0 } as const;
/** An alert: handshake failure. */
const ALERT = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);
const trusting = { ca: authority, serverName: "localhost" };

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

/** A server without TLS, which `serve` plays. */
async function rawServer(serve: (socket: Raw) => void): Promise<
  { port: number } & AsyncDisposable
> {
  const sockets: Raw[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Handlers that record what happens, until the socket is closed. */
function recorder(handlers: SocketHandler = { data() {} }) {
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const socket: SocketHandler = {
    ...handlers,
    handshake(socket, success, error) {
      events.push(`handshake ${success} ${codeOf(error)}`);
      handlers.handshake?.(socket, success, error);
    },
    data: (_, data) => void events.push(`data ${data}`),
    end: () => void events.push("end"),
    close(_, error) {
      events.push(`close ${codeOf(error)}`);
      resolve(events);
    },
    error: (_, error) => void events.push(`error ${error}`),
  };
  return { socket, closed: promise };
}

for (const { name: engine, listen, connect, test } of subjects) {
  /** Connects over TLS; what has happened when it is closed. */
  const meet = async (port: number, tls: TLSOptions = trusting) => {
    const { socket, closed } = recorder();
    await connect<unknown>({ ...loopback, port, tls, socket });
    return await closed;
  };

  const misbehaviours: [
    name: string,
    serve: (socket: Raw) => void,
    code: string,
  ][] = [
    ["closes at once", (socket) => void socket.end(), "ECONNRESET"],
    [
      "closes after the hello",
      (socket) => void socket.once("data", () => socket.end()),
      "ECONNRESET",
    ],
    [
      "resets after the hello",
      (socket) => void socket.once("data", () => socket.resetAndDestroy()),
      "ECONNRESET",
    ],
    [
      "answers with text",
      (socket) => void socket.once("data", () => socket.end("220 ready\r\n")),
      "EPROTO",
    ],
    [
      "answers with noise",
      (socket) =>
        void socket.once(
          "data",
          () => socket.end(new Uint8Array(5_000).fill(255)),
        ),
      "EPROTO",
    ],
    [
      "answers with a hello in which nothing is right",
      (socket) =>
        void socket.once("data", () => {
          const hello = new Uint8Array(60).fill(7);
          hello.set([22, 3, 3, 0, 55, 2, 0, 0, 51]);
          socket.end(hello);
        }),
      "EPROTO",
    ],
    [
      "answers with an alert",
      (socket) => void socket.once("data", () => socket.end(ALERT)),
      "EPROTO",
    ],
    [
      "speaks before it is asked",
      (socket) => void socket.end("220 ready\r\n"),
      "EPROTO",
    ],
  ];
  for (const [name, serve, code] of misbehaviours) {
    test(`a server that ${name} fails the handshake`, async () => {
      await using server = await rawServer(serve);
      const events = await meet(server.port);
      assertEquals(events, [`handshake false ${code}`, `close ${code}`]);
    });
  }

  test("what is wrong with a certificate has a code", async () => {
    // The platform does not tell one from another.
    const expired = engine === "native"
      ? "CERT_HAS_EXPIRED"
      : "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
    const selfSigned = {
      cert: Deno.readTextFileSync(
        new URL("../fixtures/tls/cert.pem", import.meta.url),
      ),
      key: Deno.readTextFileSync(
        new URL("../fixtures/tls/key.pem", import.meta.url),
      ),
    };
    const cases: [
      served: TLSOptions,
      tls: TLSOptions,
      code: string | undefined,
    ][] = [
      [pair("localhost"), trusting, undefined],
      [pair("a_test"), { ...trusting, serverName: "a.test" }, undefined],
      [pair("a_test"), trusting, "ERR_TLS_CERT_ALTNAME_INVALID"],
      [pair("expired"), trusting, expired],
      [
        pair("localhost"),
        { serverName: "localhost" },
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      ],
      [selfSigned, trusting, "DEPTH_ZERO_SELF_SIGNED_CERT"],
      [selfSigned, { ...trusting, ca: selfSigned.cert }, undefined],
    ];
    for (const [served, tls, code] of cases) {
      for (const rejectUnauthorized of [true, false]) {
        using server = listen<unknown>({
          ...loopback,
          tls: served,
          socket: { data() {}, error() {} },
        });
        const isLet = code === undefined || !rejectUnauthorized;
        const { socket, closed } = recorder({
          data() {},
          handshake(socket) {
            assertEquals(socket.authorized, code === undefined);
            const objection = socket.getAuthorizationError();
            assertEquals(codeOf(objection), isLet ? code : undefined);
            const certificate = socket.getPeerCertificate();
            assertEquals(certificate === undefined, !isLet);
            if (certificate !== undefined) {
              assertEquals(certificate.authorized, code === undefined);
              assertEquals(codeOf(certificate.authorizationError), code);
              assert(certificate.subject.CN !== undefined);
            }
            socket.end();
          },
        });
        await connect<unknown>({
          ...loopback,
          port: server.port,
          tls: { ...tls, rejectUnauthorized },
          socket,
        });
        const events = await closed;
        assertEquals(events[0], `handshake ${isLet} ${code}`);
        assertEquals(events.length, 2, `${events}`);
      }
    }
  });

  test("a server that was let in once is verified again", async () => {
    using server = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      socket: { data: (socket, data) => void socket.end(data), error() {} },
    });
    const { port } = server;
    for (let round = 0; round < 3; round++) {
      const { socket, closed } = recorder();
      const careless = { rejectUnauthorized: false, serverName: "localhost" };
      const client = await connect<unknown>({
        ...loopback,
        port,
        tls: careless,
        socket,
      });
      client.write("x");
      assertEquals((await closed)[1], "data x");
      const [handshake] = await meet(port, { serverName: "localhost" });
      assertEquals(
        handshake,
        "handshake false UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      );
    }
  });

  test("servers end their side, and clients go on", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = "";
    using server = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      allowHalfOpen: true,
      socket: {
        open(socket) {
          socket.write("all");
          socket.shutdown();
        },
        data: (_, data) => void (text += data),
        end: () => resolve(text),
        error() {},
      },
    });
    const { socket, closed } = recorder();
    const client = await connect<unknown>({
      ...loopback,
      port: server.port,
      tls: trusting,
      allowHalfOpen: true,
      socket: {
        ...socket,
        end(socket) {
          socket.write("thanks ");
          setTimeout(() => socket.end("for that"), 20);
        },
      },
    });
    assertEquals(await promise, "thanks for that");
    assertEquals(await closed, [
      "handshake true undefined",
      "data all",
      "close undefined",
    ]);
    assertEquals(client.readyState, -1);
  });

  test("4 MiB go both ways, with pauses on both sides", async () => {
    const bytes = new Uint8Array(4 * 2 ** 20);
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = (at * 2_654_435_761) >>> 13;
    }
    const side = (): SocketHandler & { received: Promise<Uint8Array> } => {
      const all = new Uint8Array(bytes.length);
      let received = 0;
      let sent = 0;
      let chunks = 0;
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      const send = (socket: Socket<unknown>) => {
        sent += Math.max(0, socket.write(bytes, sent));
      };
      return {
        received: promise,
        open: send,
        drain: send,
        data(socket, data) {
          all.set(data as Uint8Array, received);
          received += data.length;
          if (received === bytes.length) return resolve(all);
          if (++chunks % 20 !== 0) return;
          socket.pause();
          setTimeout(() => socket.resume(), 1);
        },
      };
    };
    const there = side();
    const here = side();
    using server = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      socket: there,
    });
    using _client = await connect<unknown>({
      ...loopback,
      port: server.port,
      tls: trusting,
      socket: here,
    });
    for (const received of [await there.received, await here.received]) {
      assert(received.every((byte, at) => byte === bytes[at]));
    }
    server.stop(true);
  });

  test("upgradeTLS sends what was written before in plaintext", async () => {
    const size = 900_000;
    using secure = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      socket: { data: (socket, data) => void socket.end(data), error() {} },
    });
    let plain = 0;
    await using server = await rawServer((outer) => {
      // It takes its time, so that the client's first word has to wait.
      outer.pause();
      setTimeout(() => outer.resume(), 50);
      outer.on("data", function take(chunk: Uint8Array) {
        const count = Math.min(chunk.length, size - plain);
        assert(chunk.subarray(0, count).every((byte) => byte === 7));
        plain += count;
        if (plain < size) return;
        outer.off("data", take);
        const inner = connectRaw(secure.port, "127.0.0.1");
        inner.on("error", () => {});
        inner.write(chunk.subarray(count));
        outer.pipe(inner).pipe(outer);
      });
    });
    const raw = await connect<unknown>({
      ...loopback,
      port: server.port,
      socket: { data() {} },
    });
    assertEquals(raw.write(new Uint8Array(size).fill(7)), size);
    const { socket, closed } = recorder();
    const [, upgraded] = raw.upgradeTLS<unknown>({ tls: trusting, socket });
    assertEquals(upgraded.write("secret"), 6);
    assertEquals(await closed, [
      "handshake true undefined",
      "data secret",
      "end",
      "close undefined",
    ]);
  });

  test("upgradeTLS after much plaintext, with pauses", async () => {
    const size = 6 * 2 ** 20;
    using secure = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      socket: { data: (socket, data) => void socket.end(data), error() {} },
    });
    await using server = await rawServer((outer) => {
      outer.write(new Uint8Array(size));
      const inner = connectRaw(secure.port, "127.0.0.1");
      inner.on("error", () => {});
      outer.pipe(inner).pipe(outer);
    });
    const { socket, closed } = recorder();
    let received = 0;
    let chunks = 0;
    await connect<unknown>({
      ...loopback,
      port: server.port,
      socket: {
        data(raw, data) {
          received += data.length;
          if (received === size) {
            const [, upgraded] = raw.upgradeTLS<unknown>({
              tls: trusting,
              socket,
            });
            upgraded.write("secret");
          } else if (++chunks % 10 === 0) {
            raw.pause();
            setTimeout(() => raw.resume(), 1);
          }
        },
      },
    });
    assertEquals((await closed).slice(0, 2), [
      "handshake true undefined",
      "data secret",
    ]);
  });

  test("upgradeTLS takes what had arrived while paused", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using server = await rawServer((socket) => {
      socket.write("go");
      promise.then(() => socket.write(ALERT));
    });
    const { socket, closed } = recorder();
    const told: string[] = [];
    await connect<unknown>({
      ...loopback,
      port: server.port,
      socket: {
        async data(raw, data) {
          told.push(`${data}`);
          raw.pause();
          resolve();
          await new Promise((resolve) => setTimeout(resolve, 50));
          raw.upgradeTLS<unknown>({ tls: trusting, socket });
        },
        end: () => void told.push("end"),
      },
    });
    assertEquals(await closed, ["handshake false EPROTO", "close EPROTO"]);
    assertEquals(told, ["go"]);
  });

  test("upgradeTLS takes what arrives while JavaScript is busy", async () => {
    const server = new Worker(busyServer(ALERT), { type: "module" });
    const port = await new Promise<number>((resolve) =>
      server.onmessage = ({ data }) => resolve(data)
    );
    const { socket, closed } = recorder();
    const told: string[] = [];
    await connect<unknown>({
      ...loopback,
      port,
      socket: {
        data(raw, data) {
          told.push(`${data}`);
          // Meanwhile the alert arrives.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
          raw.upgradeTLS<unknown>({ tls: trusting, socket });
        },
        end: () => void told.push("end"),
      },
    });
    assertEquals(await closed, ["handshake false EPROTO", "close EPROTO"]);
    assertEquals(told, ["go"]);
    server.terminate();
  });

  test("servers that miss a certificate say so after the handshake", async () => {
    using server = listen<unknown>({
      ...loopback,
      tls: [{ ...pair("localhost"), requestCert: true, ca: authority }],
      socket: { data() {}, handshake() {}, error() {} },
    });
    const [handshake, close, ...others] = await meet(server.port);
    assertEquals([handshake, others.length], ["handshake true undefined", 0]);
    // The platform sends no alert at that time.
    assertEquals(
      close,
      engine === "native" ? "close EPROTO" : "close ECONNRESET",
    );
  });

  test("upgradeTLS of a socket that the peer has ended fails", async () => {
    await using server = await rawServer((socket) => void socket.end("bye"));
    const { socket, closed } = recorder();
    await connect<unknown>({
      ...loopback,
      port: server.port,
      allowHalfOpen: true,
      socket: {
        data() {},
        end: (raw) => void raw.upgradeTLS<unknown>({ tls: trusting, socket }),
      },
    });
    assertEquals(await closed, [
      "handshake false ECONNRESET",
      "close ECONNRESET",
    ]);
  });

  test("TLS inside of TLS", async () => {
    using inner = listen<unknown>({
      ...loopback,
      tls: pair("a_test"),
      socket: { data: (socket, data) => void socket.end(data), error() {} },
    });
    using outer = listen<Raw>({
      ...loopback,
      tls: pair("localhost"),
      socket: {
        open(socket) {
          const raw = socket.data = connectRaw(inner.port, "127.0.0.1");
          raw.on("data", (bytes) => void socket.write(bytes));
          raw.on("end", () => socket.end());
          raw.on("error", () => {});
        },
        data: (socket, data) => void socket.data.write(data),
        close: (socket) => void socket.data.end(),
        error() {},
      },
    });
    const { socket, closed } = recorder();
    await connect<unknown>({
      ...loopback,
      port: outer.port,
      tls: trusting,
      socket: {
        data() {},
        open(first) {
          const tls = { ca: authority, serverName: "a.test" };
          const [, second] = first.upgradeTLS<unknown>({ tls, socket });
          second.write("twice secret");
        },
      },
    });
    assertEquals((await closed).slice(0, 2), [
      "handshake true undefined",
      "data twice secret",
    ]);
  });

  test("a key that rustls cannot use is used all the same", async () => {
    const folder = "../../src/engine/native/helper/src/tls/fixtures/";
    const read = (name: string) =>
      Deno.readTextFileSync(new URL(`${folder}${name}`, import.meta.url));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    // The deno engine, which can verify it.
    using server = subjects[0]!.listen<unknown>({
      ...loopback,
      tls: {
        ...pair("localhost"),
        requestCert: true,
        rejectUnauthorized: false,
      },
      socket: {
        handshake(socket) {
          resolve(socket.getPeerCertificate()?.subject.CN);
          socket.end();
        },
        data() {},
        error() {},
      },
    });
    const { socket, closed } = recorder();
    await connect<unknown>({
      ...loopback,
      port: server.port,
      tls: {
        ...trusting,
        cert: read("p521_cert.pem"),
        key: read("p521_pkcs8.pem"),
      },
      socket,
    });
    assertEquals(await promise, "p521");
    assertEquals((await closed)[0], "handshake true undefined");
  });

  test("authorities of the environment are trusted", async () => {
    using server = listen<unknown>({
      ...loopback,
      tls: pair("localhost"),
      socket: { open: (socket) => void socket.end(), data() {}, error() {} },
    });
    const file = new URL("./tls/authority.pem", import.meta.url).pathname;
    const cases: [environment: Record<string, string>, expected: string][] = [
      [{}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
      [{ DENO_CERT: file }, "authorized"],
      [{ NODE_EXTRA_CA_CERTS: file }, "authorized"],
      [{ DENO_CERT: "/nowhere" }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
      [{ DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: file }, "authorized"],
    ];
    for (const [environment, expected] of cases) {
      const output = await runClient(engine, server.port, environment);
      assertEquals(output, expected, JSON.stringify(environment));
    }
  });
}

/** A module that says "go" to its first client, and soon something else. */
function busyServer(next: Uint8Array): string {
  const program = `
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    postMessage(listener.addr.port);
    const client = await listener.accept();
    await client.write(new TextEncoder().encode("go"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await client.write(Uint8Array.of(${next}));
  `;
  return `data:application/javascript,${encodeURIComponent(program)}`;
}

/** What a program of its own learns about the server at a port. */
async function runClient(
  engine: SubjectName,
  port: number,
  environment: Record<string, string>,
): Promise<string> {
  const module = new URL("../../src/connect.ts", import.meta.url);
  const program = `
    import { connect } from ${JSON.stringify(module.href)};
    const { promise, resolve } = Promise.withResolvers();
    await connect({
      hostname: "localhost",
      port: ${port},
      engine: ${JSON.stringify(engine)},
      tls: true,
      socket: {
        data() {},
        handshake(socket, _, error) {
          console.log(socket.authorized ? "authorized" : error.code);
          socket.end();
        },
        close: resolve,
        error() {},
      },
    });
    await promise;
  `;
  const inherited = Deno.env.toObject();
  for (const name of ["CERT", "TLS_CA_STORE"]) delete inherited[`DENO_${name}`];
  delete inherited.NODE_EXTRA_CA_CERTS;
  const path = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(path, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", path],
      env: { ...inherited, ...environment },
      clearEnv: true,
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return text(stdout) || text(stderr);
  } finally {
    await Deno.remove(path);
  }
}
