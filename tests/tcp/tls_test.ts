/** TLS as seen by other clients, and what goes wrong with it. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { connect as connectRaw, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { connect } from "../../src/connect.ts";
import { listen } from "../../src/listen.ts";
import type { TLSOptions } from "../../src/options/tls_options.ts";
import type {
  Socket,
  SocketHandler,
  TCPSocketListener,
} from "../../src/tcp/socket_types.ts";
import { run } from "../tls/client.ts";
import { listenWithTimes } from "./listener.ts";
import { authority, pair, pem } from "./tls_files.ts";

const loopback = { hostname: "127.0.0.1", port: 0 } as const;
/** The platform's own TLS, and ours on its TCP. */
const serverTls: [name: string, tls: TLSOptions | TLSOptions[]][] = [
  ["one certificate", pair("localhost")],
  ["several certificates", [
    pair("localhost"),
    { ...pair("a_test"), serverName: "a.test" },
  ]],
];

const greeting: SocketHandler = {
  open: (socket) => void socket.end("hello"),
  data() {},
};

/** The name in the certificate that a client gets. */
function certificateFor(port: number, servername: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const client = connectTls({
    port,
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
  });
  client.on("secureConnect", () => {
    const name = String(client.getPeerCertificate().subject.CN);
    client.on("close", () => resolve(name));
    client.resume();
  });
  client.on("error", reject);
  return promise;
}

Deno.test("SNI chooses among several certificates", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: [
      pair("localhost"),
      { ...pair("expired"), serverName: "a.test" },
      { ...pair("a_test"), serverName: "A.test" },
      { ...pair("wildcard"), servername: "*.example.com" },
    ],
    socket: greeting,
  });
  const cases: [name: string, certificate: string][] = [
    ["a.test", "a_test"],
    ["A.TEST", "a_test"],
    ["www.example.com", "wildcard"],
    ["a.b.example.com", "localhost"],
    ["example.com", "localhost"],
    ["unknown.test", "localhost"],
    ["", "localhost"],
  ];
  for (const [name, certificate] of cases) {
    assertEquals(await certificateFor(server.port, name), certificate, name);
  }
});

Deno.test("with several certificates servers know the requested name", async () => {
  const names: (string | undefined)[] = [];
  using server = listen<unknown>({
    ...loopback,
    tls: [pair("localhost"), { ...pair("a_test"), serverName: "a.test" }],
    socket: {
      open(socket) {
        names.push(socket.getServername());
        socket.end();
      },
      data() {},
    },
  });
  for (const name of ["a.test", "unknown.test", ""]) {
    await certificateFor(server.port, name);
  }
  assertEquals(names, ["a.test", "unknown.test", undefined]);
});

Deno.test("several names of one certificate are one certificate", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: [
      { ...pair("a_test"), serverName: ["a.test", "b.test"] },
      { ...pair("a_test"), serverName: "*.c.test" },
    ],
    socket: greeting,
  });
  for (const name of ["b.test", "x.c.test", "unknown.test", ""]) {
    assertEquals(await certificateFor(server.port, name), "a_test");
  }
});

Deno.test("one certificate is for every name", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: { ...pair("a_test"), serverName: "a.test" },
    socket: greeting,
  });
  for (const name of ["a.test", "unknown.test", ""]) {
    assertEquals(await certificateFor(server.port, name), "a_test");
  }
});

Deno.test("several certificates and ALPN go together", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: [
      { ...pair("localhost"), ALPNProtocols: "\x02h2" },
      { ...pair("a_test"), serverName: "a.test" },
    ],
    socket: greeting,
  });
  const { promise, resolve } = Promise.withResolvers<Socket<unknown>>();
  await connect<unknown>({
    hostname: "127.0.0.1",
    port: server.port,
    tls: { ca: authority, serverName: "a.test", ALPNProtocols: "\x02h2" },
    socket: { data() {}, close: resolve },
  });
  const client = await promise;
  assertEquals(client.alpnProtocol, "h2");
  assert(client.authorized);
  assertEquals(client.getServername(), "a.test");
});

Deno.test("the server's order decides about ALPN", async () => {
  const cases: [offered: string[], chosen: string | false][] = [
    [["second", "first"], "first"],
    [["second", "other"], "second"],
    [[], false],
  ];
  for (const [name, tls] of serverTls) {
    const ALPNProtocols = "\x05first\x06second";
    const [first, ...others] = [tls].flat();
    const chosen: unknown[] = [];
    using server = listen<unknown>({
      ...loopback,
      tls: [{ ...first!, ALPNProtocols }, ...others],
      socket: {
        open(socket) {
          chosen.push(socket.alpnProtocol);
          socket.end();
        },
        data() {},
      },
    });
    for (const [ALPNProtocols] of cases) {
      const client = connectTls({
        port: server.port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ALPNProtocols,
      });
      await new Promise((resolve, reject) => {
        client.on("close", resolve);
        client.on("error", reject);
        client.resume();
      });
    }
    assertEquals(chosen, cases.map(([, chosen]) => chosen), name);
  }
});

Deno.test("openssl and curl see what we serve", async () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  const expired = { ...pair("expired"), serverName: "expired.test" };
  const several = [pair("localhost"), expired];
  const named: [
    tls: TLSOptions | TLSOptions[],
    asked: string[],
    shown: string,
  ][] = [
    [pair("expired"), ["-servername", "a.test"], "expired"],
    [pair("expired"), ["-noservername"], "expired"],
    [several, ["-servername", "EXPIRED.test"], "expired"],
    [several, ["-servername", "unknown.test"], "localhost"],
    [several, ["-noservername"], "localhost"],
  ];
  for (const [tls, asked, shown] of named) {
    using server = listen<unknown>({
      ...loopback,
      tls,
      socket: { data: (socket) => void socket.end(answer) },
    });
    const at = `127.0.0.1:${server.port}`;
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const text = await run(
        "openssl",
        "s_client",
        "-connect",
        at,
        version,
        ...asked,
      );
      // Without the program there is nothing to see.
      if (text === undefined) break;
      assertEquals(/^subject=.*CN ?= ?(\w+)/m.exec(text)?.[1], shown);
    }
    const url = `https://${at}/`;
    const text = await run("curl", "--silent", "--insecure", url);
    if (text !== undefined) assertEquals(text, "hello\n");
    const verified = await run("curl", "--silent", url);
    if (verified !== undefined) assertEquals(verified, "");
  }
});

Deno.test("an address is found in the certificate, and not sent", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: [pair("localhost"), { ...pair("a_test"), serverName: "127.0.0.1" }],
    socket: greeting,
  });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  await connect<unknown>({
    hostname: "127.0.0.1",
    port: server.port,
    tls: { ca: authority },
    socket: { data() {}, close: (socket) => resolve(socket.authorized) },
  });
  assert(await promise);
});

for (const [name, tls] of serverTls) {
  Deno.test(`1,000 handshakes, some at the same time: ${name}`, async () => {
    const total = 1_000;
    let open = 0;
    let closed = 0;
    const done = Promise.withResolvers<void>();
    using server = listen<unknown>({
      ...loopback,
      tls,
      socket: {
        open: () => void open++,
        data: (socket, data) => void socket.end(data),
        close() {
          if (++closed === total) done.resolve();
        },
      },
    });
    for (let round = 0; round < total / 20; round++) {
      await Promise.all(Array.from({ length: 20 }, async (_, index) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        let text = "";
        const client = await connect({
          hostname: "localhost",
          port: server.port,
          tls: { ca: authority },
          socket: {
            data: (_, data) => void (text += data),
            close: (_, error) => error ? reject(error) : resolve(text),
          },
        });
        client.write(`message ${index}`);
        assertEquals(await promise, `message ${index}`);
      }));
    }
    await done.promise;
    assertEquals([open, closed], [total, total]);
  });
}

for (const [name, tls] of serverTls) {
  Deno.test(`stop(true) closes sockets in their handshake: ${name}`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server: TCPSocketListener = listen<unknown>({
      ...loopback,
      tls,
      socket: {
        open: () => void server.stop(true),
        data() {},
        handshake() {},
        close: () => resolve(),
      },
    });
    const client = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.port,
    });
    await promise;
    client.close();
  });

  Deno.test(`a TLS stream that is cut off is no end: ${name}`, async () => {
    const events: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    using server = listen<unknown>({
      ...loopback,
      tls,
      socket: {
        data: (_, data) => void events.push(`data ${data}`),
        end: () => void events.push("end"),
        close(_, error) {
          events.push(`close ${(error as { code?: string })?.code}`);
          resolve();
        },
      },
    });
    const carrier = connectRaw(server.port, "127.0.0.1");
    const client = connectTls({ socket: carrier, rejectUnauthorized: false });
    client.write("part", () => carrier.end());
    await promise;
    client.destroy();
    assertEquals(events, ["data part", "close ECONNRESET"]);
  });
}

Deno.test("clients notice when a TLS stream is cut off", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: pair("localhost"),
    socket: { open: (socket) => void socket.write("part"), data() {} },
  });
  // What the server sends goes through; then this ends instead of it.
  const relay = createServer((outer) => {
    const inner = connectRaw(server.port, "127.0.0.1");
    // The native engine resets what it cuts.
    outer.on("error", () => {});
    outer.pipe(inner).pipe(outer);
    cutOff = () => {
      inner.unpipe(outer).destroy();
      outer.unpipe(inner).end();
      outer.resume();
    };
  });
  let cutOff = () => {};
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await connect<unknown>({
    hostname: "localhost",
    port: (relay.address() as { port: number }).port,
    tls: { ca: authority },
    socket: {
      data(socket, data) {
        events.push(`data ${data}`);
        // It is noticed only when the socket is read from again.
        socket.pause();
        cutOff();
        setTimeout(() => {
          events.push("resume");
          socket.resume();
        }, 20);
      },
      end: () => void events.push("end"),
      close(_, error) {
        events.push(`close ${(error as { code?: string })?.code}`);
        resolve();
      },
    },
  });
  await promise;
  await new Promise((resolve) => relay.close(resolve));
  assertEquals(events, ["data part", "resume", "close ECONNRESET"]);
});

Deno.test("a reset is a close with ECONNRESET over TLS", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: pair("localhost"),
    socket: { data: (socket, data) => void socket.write(data) },
  });
  const relay = createServer((outer) => {
    const inner = connectRaw(server.port, "127.0.0.1");
    outer.pipe(inner).pipe(outer);
    reset = () => {
      inner.destroy();
      outer.resetAndDestroy();
    };
  });
  let reset = () => {};
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await connect<unknown>({
    hostname: "localhost",
    port: (relay.address() as { port: number }).port,
    tls: { ca: authority },
    socket: {
      open: (socket) => void socket.write("hello"),
      data(_, data) {
        events.push(`data ${data}`);
        reset();
      },
      end: () => void events.push("end"),
      close(socket, error) {
        events.push(`close ${(error as { code?: string })?.code}`);
        assertEquals(socket.write("x"), -1);
        resolve();
      },
    },
  });
  await promise;
  await new Promise((resolve) => relay.close(resolve));
  assertEquals(events, ["data hello", "close ECONNRESET"]);
});

Deno.test("pausing before the handshake pauses what comes after it", async () => {
  using server = listen<unknown>({
    ...loopback,
    tls: pair("localhost"),
    socket: {
      open(socket) {
        socket.write("one ");
        setTimeout(() => socket.end("two"), 10);
      },
      data() {},
    },
  });
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await connect<unknown>({
    hostname: "localhost",
    port: server.port,
    tls: { ca: authority },
    socket: {
      open: (socket) => socket.pause(),
      handshake(socket, success) {
        events.push(`handshake ${success}`);
        setTimeout(() => {
          events.push("resume");
          socket.resume();
        }, 50);
      },
      data: (_, data) => void events.push(`${data}`),
      end: () => void events.push("end"),
      close: () => resolve(),
    },
  });
  await promise;
  assertEquals(events.slice(0, 2), ["handshake true", "resume"]);
  assertEquals(events.slice(2).join(""), "one twoend");
});

Deno.test("upgradeTLS works in data, and over a Unix socket", async () => {
  const directory = await Deno.makeTempDir();
  const unix = `${directory}/socket`;
  // Neither side has TLS over Unix sockets as a server, so this one relays.
  using secure = listen<unknown>({
    ...loopback,
    tls: pair("a_test"),
    socket: { data: (socket, data) => void socket.end(data) },
  });
  let inner: Socket<unknown> | undefined;
  using _server = listen<unknown>({
    unix,
    socket: {
      async data(outer, data) {
        if (data.toString() !== "STARTTLS") return void inner!.write(data);
        inner = await connect<unknown>({
          hostname: "127.0.0.1",
          port: secure.port,
          socket: {
            data: (_, data) => void outer.write(data),
            close: () => void outer.end(),
          },
        });
        outer.write("go ahead");
      },
      close: () => void inner!.end(),
    },
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const client = await connect<unknown>({
    unix,
    socket: {
      data(plain) {
        const [, upgraded] = plain.upgradeTLS<unknown>({
          tls: { ca: authority, serverName: "a.test" },
          socket: {
            open: (socket) => void socket.write("over TLS"),
            data: (_, data) => void (text += data),
            close: () => resolve(text),
          },
        });
        assertEquals(upgraded.readyState, 1);
      },
    },
  });
  client.write("STARTTLS");
  assertEquals(await promise, "over TLS");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("upgradeTLS refuses what it cannot do", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket<unknown>>();
  using server = listen<unknown>({
    ...loopback,
    socket: { open: resolve, data() {} },
  });
  const client = await connect<unknown>({
    ...loopback,
    port: server.port,
    socket: { data() {} },
  });
  const socket = { data() {} };
  const upgrade = (options: unknown) => client.upgradeTLS(options as never);
  assertThrows(() => upgrade({ tls: false, socket }), TypeError, "tls");
  assertThrows(() => upgrade({ tls: true }), TypeError, "expected socket");
  assertThrows(() => upgrade({ tls: { ca: "x" }, socket }), TypeError, "ca");
  assertEquals(client.readyState, 1);
  const accepted = await promise;
  assertThrows(
    () => accepted.upgradeTLS({ tls: true, socket }),
    TypeError,
    "only clients can upgrade",
  );
  client.end();
  assertThrows(
    () => upgrade({ tls: true, socket }),
    TypeError,
    "the socket is closed",
  );
});

Deno.test("wrong certificates, keys and passphrases fail at once", () => {
  const tests: [options: Record<string, unknown>, message: string][] = [
    [{ cert: pem("localhost") }, "without tls.key"],
    [{ key: pem("localhost_key") }, "without tls.cert"],
    [{ ...pair("localhost"), key: pem("a_test_key") }, "does not belong"],
    [{ ...pair("localhost"), key: "no key" }, "tls.key"],
    [{ ...pair("localhost"), cert: "no certificate" }, "tls.cert"],
    [{ ...pair("localhost"), ALPNProtocols: "h2" }, "tls.ALPNProtocols"],
    [{ ...pair("localhost"), serverName: "a b" }, "tls.serverName"],
    [{ ...pair("localhost"), requestCert: true }, "tls.requestCert"],
  ];
  const folder = new URL("../fixtures/tls/", import.meta.url);
  const read = (name: string) =>
    Deno.readTextFileSync(new URL(`${name}.pem`, folder));
  for (const name of ["key_encrypted", "key_encrypted_legacy"]) {
    const options = { cert: read("cert"), key: read(name) };
    tests.push([options, "passphrase"]);
    tests.push([{ ...options, passphrase: "guess" }, "passphrase is wrong"]);
    listen<unknown>({
      ...loopback,
      tls: { ...options, passphrase: "correct horse" },
      socket: greeting,
    }).stop();
  }
  for (const [tls, message] of tests) {
    const error = assertThrows(
      () => listen<unknown>({ ...loopback, tls, socket: greeting }),
      TypeError,
      message,
    );
    const shown = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
    for (const secret of [tls.key, tls.passphrase]) {
      const line = String(secret).split("\n")[1] ?? String(secret);
      assertFalse(shown.includes(line), "the message shows a secret");
    }
  }
});

Deno.test("a list needs names", () => {
  const tls = [pair("localhost"), pair("a_test")];
  assertThrows(
    () => listen<unknown>({ ...loopback, tls, socket: greeting }),
    TypeError,
    "Cannot use tls[1] without serverName",
  );
});

Deno.test("keys that the platform cannot use fail at once", () => {
  const unusable = pair("unusable");
  const named = { ...pair("a_test"), serverName: "a.test" };
  for (
    const tls of [unusable, [unusable, named], [named, {
      ...unusable,
      serverName: "b.test",
    }]]
  ) {
    const error = assertThrows(
      () => listen<unknown>({ ...loopback, tls, socket: greeting }),
      Error,
      "Cannot listen on port 0 of 127.0.0.1",
    ) as Error & { syscall?: string };
    assertEquals(error.syscall, "listen");
    const line = unusable.key.split("\n")[1]!;
    assertFalse(`${error.message} ${error.stack}`.includes(line));
  }
});

Deno.test("TLS over Unix sockets", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const unix = `${directory}/socket`;
    using _server = listen<unknown>({
      unix,
      tls: pair("localhost"),
      socket: {
        open: (socket) => void socket.write(`${socket.getServername()} `),
        data: (socket, data) => void socket.end(data),
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    const client = await connect<unknown>({
      unix,
      tls: { ca: authority, serverName: "localhost" },
      socket: {
        data: (_, data) => void (text += data),
        close: (_, error) => error ? reject(error) : resolve(text),
      },
    });
    client.write("over TLS");
    assertEquals(await promise, "localhost over TLS");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("socket options can be set where the platform has them", async () => {
  for (const [index, [, tls]] of serverTls.entries()) {
    const { promise, resolve } = Promise.withResolvers<boolean[]>();
    using server = listenWithTimes({}, {
      tls,
      socket: {
        open(socket) {
          resolve([socket.setNoDelay(false), socket.setKeepAlive(true)]);
          socket.end();
        },
        data() {},
      },
    });
    await certificateFor(server.port, "");
    assertEquals(await promise, index === 0 ? [false, false] : [true, true]);
  }
});
