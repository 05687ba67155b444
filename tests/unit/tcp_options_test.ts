import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  resolveConnect,
  resolveListen,
  resolveReload,
  resolveUpgrade,
} from "../../src/options/tcp_options.ts";
import { authority, pair, pem } from "../tcp/tls_files.ts";

type Options = Record<string, unknown>;

const socket = { data() {} };
const tcp = { hostname: "127.0.0.1", port: 0, socket };
const client = { ...tcp, port: 1 };

Deno.test("resolveListen makes a frozen plan", () => {
  const plan = resolveListen({ ...tcp, data: 1, unknown: true });
  assertEquals(plan.listen.address, {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 0,
    reusePort: false,
    ipv6Only: false,
  });
  assertEquals(plan.listen.tls, undefined);
  assertEquals([plan.data, plan.allowHalfOpen, plan.hostname], [
    1,
    false,
    "127.0.0.1",
  ]);
  assertEquals(plan.handlers.binaryType, "buffer");
  assert([plan, plan.listen, plan.handlers].every(Object.isFrozen));
});

Deno.test("an address is TCP or Unix", () => {
  const cases: [options: Options, address: unknown][] = [
    [{ hostname: "::1", port: "80" }, ["::1", 80]],
    [{ hostname: "[::1]", port: 65535 }, ["::1", 65535]],
    [{ hostname: "localhost", port: -0 }, ["localhost", 0]],
    [{ hostname: "a", port: " 7 " }, ["a", 7]],
    [{ hostname: "a", port: 1, unix: undefined }, ["a", 1]],
    [{ hostname: "a", port: 1, unix: null }, ["a", 1]],
    [{ hostname: "a", port: 1, unix: "" }, ["a", 1]],
    [{ unix: "/tmp/x" }, "/tmp/x"],
    [{ unix: "\0abstract" }, "\0abstract"],
    [{ unix: "/tmp/x", hostname: "a", port: 1 }, "/tmp/x"],
  ];
  for (const [options, expected] of cases) {
    const { listen, hostname } = resolveListen({ ...options, socket });
    const { address } = listen;
    if (address.transport === "unix") {
      assertEquals(address.path, expected);
      assertEquals(hostname, undefined);
    } else {
      assertEquals([address.hostname, address.port], expected);
      assertEquals(hostname, options.hostname);
    }
  }
});

Deno.test("handlers are functions, from wherever they come", () => {
  class Handlers {
    open(): void {}
    drain(): void {}
  }
  const { handlers } = resolveListen({ ...tcp, socket: new Handlers() });
  assertEquals(handlers.open, Handlers.prototype.open);
  assertEquals(handlers.data, undefined);
  const absent = { data() {}, open: null, close: undefined, binaryType: null };
  const { open, close, binaryType } =
    resolveListen({ ...tcp, socket: absent }).handlers;
  assertEquals([open, close, binaryType], [undefined, undefined, "buffer"]);
});

Deno.test("resolveReload takes handlers with and without a wrapper", () => {
  assertEquals(resolveReload({ socket }).data, socket.data);
  assertEquals(resolveReload(socket).data, socket.data);
  for (const options of [{}, { socket: {} }, { socket: null }, { open() {} }]) {
    assertThrows(() => resolveReload(options), TypeError);
  }
});

Deno.test("tls of a client is true or an object", () => {
  const tlsOf = (tls: unknown, hostname = "host.test") =>
    resolveConnect({ ...client, hostname, tls }).connect.tls;
  for (const tls of [undefined, null, false]) {
    assertEquals(tlsOf(tls), undefined);
  }
  const usual = {
    serverName: "host.test",
    authorities: undefined,
    certificate: undefined,
    rejectUnauthorized: true,
    alpnProtocols: [],
  };
  assertEquals(tlsOf(true), usual);
  assertEquals(tlsOf({}), usual);
  assertEquals(
    tlsOf({ serverName: null, ca: undefined, rejectUnauthorized: undefined }),
    usual,
  );
  assertEquals(tlsOf(true, "[::1]")?.serverName, "::1");
  assertEquals(tlsOf({ serverName: "a.test" })?.serverName, "a.test");
  assertEquals(tlsOf({ servername: "b.test" })?.serverName, "b.test");
  assertEquals(
    tlsOf({ serverName: "a.test", servername: "b.test" })?.serverName,
    "a.test",
  );
  assertEquals(
    tlsOf({ rejectUnauthorized: false })?.rejectUnauthorized,
    false,
  );
  assertEquals(
    tlsOf({ ca: [authority + authority, new TextEncoder().encode(authority)] })
      ?.authorities?.length,
    3,
  );
  assertEquals(tlsOf(pair("a_test"))?.certificate, pair("a_test"));
  assertEquals(tlsOf({ ALPNProtocols: "\x02h2\x03foo" })?.alpnProtocols, [
    "h2",
    "foo",
  ]);
  assertEquals(
    tlsOf({ ALPNProtocols: new Uint8Array([9, 1, 97]).subarray(1) })
      ?.alpnProtocols,
    ["a"],
  );
  const unix = { unix: "/tmp/x", socket, tls: true };
  assertEquals(resolveConnect(unix).connect.tls?.serverName, "localhost");
});

Deno.test("NODE_TLS_REJECT_UNAUTHORIZED is the default of a client", async () => {
  // The environment belongs to all tests, so this is for another process.
  const module = import.meta.resolve("../../src/options/tcp_options.ts");
  const script = `
    import { resolveConnect } from "${module}";
    const socket = { data() {} };
    for (const tls of [true, { rejectUnauthorized: true }]) {
      const options = { hostname: "a", port: 1, socket, tls };
      console.log(resolveConnect(options).connect.tls.rejectUnauthorized);
    }`;
  for (const [value, expected] of [["0", "false"], ["1", "true"]] as const) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      env: { NODE_TLS_REJECT_UNAUTHORIZED: value },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), `${expected}\ntrue\n`);
  }
});

Deno.test("tls of a server is certificates with names", () => {
  const tlsOf = (tls: unknown) => resolveListen({ ...tcp, tls }).listen.tls;
  for (const tls of [undefined, null, false, {}]) {
    assertEquals(tlsOf(tls), undefined);
  }
  const first = pair("localhost");
  assertEquals(tlsOf(first)?.certificates, [
    { ...first, serverName: undefined },
  ]);
  const list = tlsOf([
    { ...first, ALPNProtocols: "\x02h2" },
    { ...pair("a_test"), serverName: "a.test" },
    { ...pair("wildcard"), servername: "*.example.com" },
  ]);
  assertEquals(
    list?.certificates.map(({ serverName }) => serverName),
    [undefined, "a.test", "*.example.com"],
  );
  assertEquals(list?.alpnProtocols, ["h2"]);
});

Deno.test("resolveUpgrade needs handlers and tls", () => {
  const plan = resolveUpgrade({ tls: true, data: 5, socket }, "host.test");
  assertEquals([plan.data, plan.tls.serverName], [5, "host.test"]);
  for (const options of [undefined, {}, { tls: true }, { socket }]) {
    assertThrows(() => resolveUpgrade(options, undefined), TypeError);
  }
});

Deno.test("wrong options are refused by name and value", () => {
  const type = [TypeError, "ERR_INVALID_ARG_TYPE"] as const;
  const value = [TypeError, "ERR_INVALID_ARG_VALUE"] as const;
  const range = [RangeError, "ERR_OUT_OF_RANGE"] as const;
  const tlsWith = (tls: unknown) => ({ ...client, tls });
  const cases: [
    options: unknown,
    error: typeof type | typeof value | typeof range,
    message: string,
  ][] = [
    [undefined, type, "Cannot use options undefined: expected an object"],
    [{}, type, "expected socket"],
    [{ ...client, socket: 5 }, type, "Cannot use socket 5"],
    [{ ...client, socket: {} }, type, "expected at least data or drain"],
    [{ ...client, socket: { open() {} } }, type, "at least data or drain"],
    [{ ...client, socket: { data: 5 } }, type, "Cannot use socket.data 5"],
    [
      { ...client, socket: { ...socket, close: "x" } },
      type,
      'Cannot use socket.close "x"',
    ],
    [
      { ...client, socket: { ...socket, binaryType: "blob" } },
      type,
      'Cannot use socket.binaryType "blob"',
    ],
    [{ port: 1, socket }, type, "expected hostname or unix"],
    [{ hostname: "", port: 1, socket }, type, "expected hostname or unix"],
    [{ hostname: 5, port: 1, socket }, type, "Cannot use hostname 5"],
    [{ ...client, hostname: "a b" }, type, 'Cannot use hostname "a b"'],
    [{ ...client, hostname: "a\0" }, type, "Cannot use hostname"],
    [{ hostname: "a", socket }, type, "expected port"],
    [{ ...client, port: null }, type, "expected port"],
    [{ ...client, port: {} }, type, "Cannot use port (an object)"],
    [{ ...client, port: -1 }, range, "port -1: expected an integer from"],
    [{ ...client, port: 65536 }, range, "port 65536: expected"],
    [{ ...client, port: 1.5 }, range, "port 1.5: expected"],
    [{ ...client, port: NaN }, range, "port NaN: expected"],
    [{ ...client, port: "http" }, range, 'port "http": expected'],
    [{ ...client, port: "1e3" }, range, 'port "1e3": expected'],
    [{ unix: 5, socket }, type, "Cannot use unix 5"],
    [{ unix: "\0", socket }, type, "Cannot use unix"],
    [{ unix: "a\0b", socket }, type, "Cannot use unix"],
    [{ ...client, allowHalfOpen: 1 }, type, "Cannot use allowHalfOpen 1"],
    [{ ...client, exclusive: "x" }, type, 'Cannot use exclusive "x"'],
    [{ ...client, engine: "fast" }, type, 'Cannot use engine "fast"'],
    [tlsWith(5), type, "Cannot use tls of type number"],
    [tlsWith([]), type, "Cannot use tls of type object"],
    [tlsWith({ serverName: 5 }), type, "Cannot use tls.serverName 5"],
    [tlsWith({ ca: 5 }), type, "Cannot use tls.ca"],
    [tlsWith({ ca: "/path" }), value, "not a path to them"],
    [tlsWith({ ca: pem("a_test_key") }), value, "expected certificates"],
    [
      tlsWith({
        ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      }),
      value,
      "a certificate is malformed",
    ],
    [tlsWith({ cert: pem("a_test") }), type, "without tls.key"],
    [
      tlsWith({ rejectUnauthorized: "no" }),
      type,
      'Cannot use tls.rejectUnauthorized "no"',
    ],
    [tlsWith({ ALPNProtocols: "h2" }), type, "after a byte with its length"],
    [tlsWith({ ALPNProtocols: "\0" }), type, "after a byte with its length"],
    [tlsWith({ ALPNProtocols: "\x01é" }), type, "after a byte with its length"],
    [tlsWith({ ALPNProtocols: 5 }), type, "Cannot use tls.ALPNProtocols"],
  ];
  for (const [options, [errorClass, code], message] of cases) {
    const error = assertThrows(
      () => resolveConnect(options),
      errorClass,
      message,
    );
    assertEquals((error as { code?: string }).code, code, error.message);
  }
  assertThrows(
    () => resolveConnect({ ...client, port: 0 }),
    RangeError,
    "Cannot connect to port 0: expected an integer from 1 to 65535",
  );
  assertThrows(
    () => resolveListen({ ...tcp, port: 99999 }),
    RangeError,
    "Cannot listen on port 99999: expected an integer from 0 to 65535",
  );
});
