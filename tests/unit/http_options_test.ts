import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type HttpServePlan,
  resolveHttpOptions,
  resolveReloadOptions,
} from "../../src/options/http_options.ts";

const fetch = () => new Response("x");

/**
 * Runs `use` while the environment seems to hold exactly these variables. The
 * environment itself is shared by all tests of the process.
 */
function withEnvironment<Result>(
  environment: Record<string, string>,
  use: () => Result,
): Result {
  const { get } = Deno.env;
  Deno.env.get = (name) => environment[name];
  try {
    return use();
  } finally {
    Deno.env.get = get;
  }
}

/** Resolves options while the environment holds exactly these variables. */
function resolveWith(
  environment: Record<string, string>,
  options: Record<string, unknown>,
): HttpServePlan {
  return withEnvironment(
    environment,
    () => resolveHttpOptions({ fetch, ...options }),
  );
}

function resolve(options: Record<string, unknown>): HttpServePlan {
  return resolveWith({}, options);
}

type Wrong = "ERR_INVALID_ARG_TYPE" | "ERR_OUT_OF_RANGE";

function assertRefused(
  resolveOptions: () => unknown,
  code: Wrong,
  ...inMessage: string[]
): void {
  const errorClass = code === "ERR_OUT_OF_RANGE" ? RangeError : TypeError;
  const error = assertThrows(resolveOptions, errorClass);
  assertEquals((error as Error & { code?: string }).code, code);
  for (const text of inMessage) assertStringIncludes(error.message, text);
  assert(!error.message.endsWith("."), error.message);
}

Deno.test("the plan has Bun's defaults and is frozen", () => {
  const plan = resolve({});
  assertEquals(plan, {
    listen: {
      address: {
        transport: "tcp",
        hostname: "0.0.0.0",
        port: 3000,
        reusePort: false,
        ipv6Only: false,
      },
      tls: undefined,
      http2: false,
      maxRequestBodySize: 134217728,
      idleTimeout: 10,
      maxPendingRequests: 10_000,
      limits: {
        headBytes: 65_536,
        headerCount: 128,
        targetBytes: 16_384,
        connections: 65_536,
        headTimeout: 30,
        contentRate: 500,
      },
      health: undefined,
      metricsRoute: undefined,
    },
    hostname: "0.0.0.0",
    urlHostname: "localhost",
    development: true,
    id: "",
    engine: "auto",
    routes: undefined,
    fetch,
    webSocket: undefined,
    bus: undefined,
    error: undefined,
  });
  assert(Object.isFrozen(plan));
  assert(Object.isFrozen(plan.listen));
  assert(Object.isFrozen(plan.listen.address));
});

Deno.test("an explicit undefined is absent and unknown keys are ignored", () => {
  const keys = [
    ..."port hostname unix reusePort ipv6Only development routes static".split(
      " ",
    ),
    ..."maxRequestBodySize idleTimeout id tls http1 http2 http3 engine error"
      .split(" "),
    ..."maxPendingRequests limits healthRoute metricsRoute".split(" "),
  ];
  const options = Object.fromEntries(keys.map((key) => [key, undefined]));
  const unknown = { webSocket: 5, foo: null, baseURI: {}, inspector: true };
  assertEquals(resolve({ ...options, ...unknown }), resolve({}));
});

Deno.test("port is a number or decimal text, else from the environment", () => {
  type Case = [Record<string, string>, unknown, number | Wrong];
  const cases: Case[] = [
    [{}, 0, 0],
    [{}, -0, 0],
    [{}, 65535, 65535],
    [{}, "0", 0],
    [{}, "8080", 8080],
    [{}, " 8080 ", 8080],
    [{}, "", 3000],
    [{}, null, 3000],
    [{}, undefined, 3000],
    [{ PORT: "4000" }, "", 4000],
    [{ PORT: "4000" }, null, 4000],
    [{ PORT: "4000" }, 5000, 5000],
    [
      { JSTIME_PORT: "1", BUN_PORT: "2", PORT: "3", NODE_PORT: "4" },
      undefined,
      1,
    ],
    [{ BUN_PORT: "2", PORT: "3", NODE_PORT: "4" }, undefined, 2],
    [{ PORT: "3", NODE_PORT: "4" }, undefined, 3],
    [{ NODE_PORT: "4" }, undefined, 4],
    [{ PORT: "0" }, undefined, 0],
    [{ BUN_PORT: "", PORT: "3" }, undefined, 3],
    [{ BUN_PORT: "tcp://10.0.0.7:80", PORT: "3" }, undefined, 3],
    [{ PORT: "99999" }, undefined, 3000],
    [{ PORT: "-1" }, undefined, 3000],
    [{ PORT: "1.5" }, undefined, 3000],
    [{}, NaN, "ERR_OUT_OF_RANGE"],
    [{}, 1.5, "ERR_OUT_OF_RANGE"],
    [{}, -1, "ERR_OUT_OF_RANGE"],
    [{}, 65536, "ERR_OUT_OF_RANGE"],
    [{}, Infinity, "ERR_OUT_OF_RANGE"],
    [{}, "abc", "ERR_OUT_OF_RANGE"],
    [{}, "65536", "ERR_OUT_OF_RANGE"],
    [{}, "-1", "ERR_OUT_OF_RANGE"],
    [{}, "1.5", "ERR_OUT_OF_RANGE"],
    [{}, "0x50", "ERR_OUT_OF_RANGE"],
    [{}, "80abc", "ERR_OUT_OF_RANGE"],
    [{}, "1".repeat(1000), "ERR_OUT_OF_RANGE"],
    [{}, " ", "ERR_OUT_OF_RANGE"],
    [{}, true, "ERR_INVALID_ARG_TYPE"],
    [{}, {}, "ERR_INVALID_ARG_TYPE"],
    [{}, [], "ERR_INVALID_ARG_TYPE"],
    [{}, 80n, "ERR_INVALID_ARG_TYPE"],
    [{}, Symbol("port"), "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [environment, port, expected] of cases) {
    const run = () => resolveWith(environment, { port });
    if (typeof expected === "string") {
      assertRefused(run, expected, "port");
      continue;
    }
    const { address } = run().listen;
    assert(address.transport === "tcp");
    assertStrictEquals(address.port, expected);
  }
});

Deno.test("errors name the option and the value", () => {
  assertRefused(
    () => resolve({ port: 99999 }),
    "ERR_OUT_OF_RANGE",
    "Cannot listen on port 99999: expected an integer from 0 to 65535",
  );
  assertRefused(
    () => resolve({ idleTimeout: 256 }),
    "ERR_OUT_OF_RANGE",
    "Cannot use idleTimeout 256: expected an integer from 0 to 255",
  );
  assertRefused(
    () => resolve({ hostname: 5 }),
    "ERR_INVALID_ARG_TYPE",
    "Cannot use hostname 5: expected a string",
  );
  assertRefused(
    () => resolve({ fetch: "x".repeat(1000) }),
    "ERR_INVALID_ARG_TYPE",
    `Cannot use fetch "${"x".repeat(64)}...": expected a function`,
  );
});

Deno.test("hostname loses the brackets of an IPv6 literal", () => {
  type Case = [unknown, listen: string, given: string, url: string];
  const cases: Case[] = [
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0"],
    ["::1", "::1", "::1", "::1"],
    ["[::1]", "::1", "[::1]", "::1"],
    ["LocalHost", "LocalHost", "LocalHost", "LocalHost"],
    ["", "0.0.0.0", "0.0.0.0", "localhost"],
    [null, "0.0.0.0", "0.0.0.0", "localhost"],
    [undefined, "0.0.0.0", "0.0.0.0", "localhost"],
  ];
  for (const [hostname, listen, given, url] of cases) {
    const plan = resolve({ hostname });
    assert(plan.listen.address.transport === "tcp");
    assertEquals(plan.listen.address.hostname, listen);
    assertEquals(plan.hostname, given);
    assertEquals(plan.urlHostname, url);
  }
  for (const hostname of [5, true, {}, [], "a b", "a\r\nb", "a\0", "\t"]) {
    assertRefused(
      () => resolve({ hostname }),
      "ERR_INVALID_ARG_TYPE",
      "hostname",
    );
  }
});

Deno.test("unix excludes hostname and makes a port meaningless", () => {
  const cases: [Record<string, unknown>, string | undefined][] = [
    [{ unix: "/tmp/a.sock" }, "/tmp/a.sock"],
    [{ unix: "\0name" }, "\0name"],
    [{ unix: "a.sock", hostname: undefined, port: undefined }, "a.sock"],
    [{ unix: "a.sock", hostname: null }, "a.sock"],
    [{ unix: "a.sock", hostname: "" }, "a.sock"],
    [{ unix: "a.sock", port: 3000 }, "a.sock"],
    [{ unix: "" }, undefined],
    [{ unix: null }, undefined],
    [{ unix: undefined }, undefined],
  ];
  for (const [options, expected] of cases) {
    const { address } = resolve(options).listen;
    assertEquals(
      address.transport === "unix" ? address.path : undefined,
      expected,
    );
  }
  const wrong = [
    { unix: "a.sock", hostname: "localhost" },
    { unix: 5 },
    { unix: true },
    { unix: {} },
    { unix: "a\0b" },
    { unix: "\0" },
    { unix: "\0a\0" },
  ];
  for (const options of wrong) {
    assertRefused(() => resolve(options), "ERR_INVALID_ARG_TYPE", "unix");
  }
});

Deno.test("boolean options take booleans, and null for false", () => {
  for (const option of ["reusePort", "ipv6Only"] as const) {
    for (const value of [true, false, null]) {
      const { address } = resolve({ [option]: value }).listen;
      assert(address.transport === "tcp");
      assertEquals(address[option], Boolean(value));
    }
  }
  for (const option of ["reusePort", "ipv6Only", "http1", "http2", "http3"]) {
    for (const value of [1, 0, "yes", "", {}, []]) {
      assertRefused(
        () => resolve({ [option]: value }),
        "ERR_INVALID_ARG_TYPE",
        option,
      );
    }
  }
});

Deno.test("HTTP versions that cannot be had are refused", () => {
  const accepted = [
    { http1: true },
    { http2: true },
    { http2: false },
    { http2: null },
    { http3: false },
    { http3: null },
  ];
  for (const options of accepted) resolve(options);
  const refused = [
    [{ http3: true }, "Cannot use http3 true: HTTP/3 is not supported"],
    [{ http1: false, http2: true }, "Cannot use http1 false"],
    [{ http1: null }, "Cannot use http1 null"],
  ] as const;
  for (const [options, message] of refused) {
    assertRefused(() => resolve(options), "ERR_INVALID_ARG_TYPE", message);
  }
});

Deno.test("development is on unless NODE_ENV is production", () => {
  const production = { NODE_ENV: "production" };
  const cases: [Record<string, string>, unknown, boolean][] = [
    [{}, undefined, true],
    [{ NODE_ENV: "test" }, undefined, true],
    [{ NODE_ENV: "" }, undefined, true],
    [production, undefined, false],
    [production, true, true],
    [production, {}, true],
    [{}, false, false],
    [{}, null, false],
    [{}, { hmr: false }, true],
  ];
  for (const [environment, development, expected] of cases) {
    const plan = resolveWith(environment, { development });
    assertEquals(plan.development, expected);
  }
  for (const development of [1, 0, "true", "", () => {}]) {
    assertRefused(
      () => resolve({ development }),
      "ERR_INVALID_ARG_TYPE",
      "development",
    );
  }
});

Deno.test("numbers are checked against their range", () => {
  type Case = [
    "idleTimeout" | "maxRequestBodySize",
    unknown,
    number | Wrong,
  ];
  const cases: Case[] = [
    ["idleTimeout", 0, 0],
    ["idleTimeout", 255, 255],
    ["idleTimeout", null, 10],
    ["idleTimeout", 256, "ERR_OUT_OF_RANGE"],
    ["idleTimeout", -1, "ERR_OUT_OF_RANGE"],
    ["idleTimeout", 1.5, "ERR_OUT_OF_RANGE"],
    ["idleTimeout", NaN, "ERR_OUT_OF_RANGE"],
    ["idleTimeout", Infinity, "ERR_OUT_OF_RANGE"],
    ["idleTimeout", "5", "ERR_INVALID_ARG_TYPE"],
    ["idleTimeout", true, "ERR_INVALID_ARG_TYPE"],
    ["idleTimeout", 5n, "ERR_INVALID_ARG_TYPE"],
    ["maxRequestBodySize", 0, 0],
    ["maxRequestBodySize", 2 ** 53, 2 ** 53],
    ["maxRequestBodySize", Infinity, Infinity],
    ["maxRequestBodySize", null, 134217728],
    ["maxRequestBodySize", -1, "ERR_OUT_OF_RANGE"],
    ["maxRequestBodySize", 1.5, "ERR_OUT_OF_RANGE"],
    ["maxRequestBodySize", NaN, "ERR_OUT_OF_RANGE"],
    ["maxRequestBodySize", -Infinity, "ERR_OUT_OF_RANGE"],
    ["maxRequestBodySize", "5", "ERR_INVALID_ARG_TYPE"],
    ["maxRequestBodySize", {}, "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [option, value, expected] of cases) {
    const run = () => resolve({ [option]: value });
    if (typeof expected === "string") assertRefused(run, expected, option);
    else assertEquals(run().listen[option], expected);
  }
});

Deno.test("id is text, or null for none", () => {
  for (const id of ["abc", ""]) assertEquals(resolve({ id }).id, id);
  for (const id of [null, undefined]) assertEquals(resolve({ id }).id, "");
  for (const id of [5, true, {}]) {
    assertRefused(() => resolve({ id }), "ERR_INVALID_ARG_TYPE", "id");
  }
});

Deno.test("engine comes from the option, else from JSTIME_ENGINE", () => {
  const cases: [Record<string, string>, unknown, string][] = [
    [{}, undefined, "auto"],
    [{}, null, "auto"],
    [{}, "deno", "deno"],
    [{}, "native", "native"],
    [{ JSTIME_ENGINE: "deno" }, undefined, "deno"],
    [{ JSTIME_ENGINE: "" }, undefined, "auto"],
    [{ JSTIME_ENGINE: "deno" }, "auto", "auto"],
  ];
  for (const [environment, engine, expected] of cases) {
    assertEquals(resolveWith(environment, { engine }).engine, expected);
  }
  for (const engine of ["Deno", "", 5, {}]) {
    assertRefused(() => resolve({ engine }), "ERR_INVALID_ARG_TYPE", "engine");
  }
  assertRefused(
    () => resolveWith({ JSTIME_ENGINE: "x" }, {}),
    "ERR_INVALID_ARG_TYPE",
    'JSTIME_ENGINE "x"',
  );
});

Deno.test("handlers are functions, and proxies of functions", () => {
  const proxy = new Proxy(fetch, {});
  assertStrictEquals(resolve({ fetch: proxy }).fetch, proxy);
  assertStrictEquals(resolve({ error: proxy }).error, proxy);
  assertEquals(resolve({ error: null }).error, undefined);
  for (const value of [5, "x", {}, true]) {
    for (const option of ["fetch", "error"]) {
      assertRefused(
        () => resolve({ [option]: value }),
        "ERR_INVALID_ARG_TYPE",
        option,
      );
    }
  }
});

Deno.test("routes wins over its older name static", () => {
  const routes = { "/": new Response("x") };
  const older = { "/old": new Response("x") };
  assertStrictEquals(resolve({ routes }).routes, routes);
  assertStrictEquals(resolve({ static: older }).routes, older);
  assertStrictEquals(resolve({ routes, static: older }).routes, routes);
  assertStrictEquals(resolve({ routes, static: 5 }).routes, routes);
  // Published routers pass themselves, with a list of their own routes.
  assertStrictEquals(resolve({ routes: [{}], fetch }).routes, undefined);
  for (const value of [null, 5, "x", () => {}]) {
    for (const option of ["routes", "static"]) {
      assertRefused(
        () => resolve({ [option]: value }),
        "ERR_INVALID_ARG_TYPE",
        option,
      );
    }
  }
});

Deno.test("there must be a handler", () => {
  const routes = { "/": fetch };
  assertEquals(resolve({ fetch: undefined, routes }).fetch, undefined);
  assertEquals(resolve({ fetch: null, routes }).fetch, undefined);
  for (const options of [{}, { routes: {} }, { routes: { "/": false } }]) {
    assertRefused(
      () => resolve({ fetch: undefined, ...options }),
      "ERR_INVALID_ARG_TYPE",
      "fetch",
      "routes",
    );
  }
});

Deno.test("options may be any object, and nothing else", () => {
  assertStrictEquals(
    resolveHttpOptions(Object.assign(() => {}, { fetch }))
      .fetch,
    fetch,
  );
  class Application {
    port = 0;
    fetch() {
      return new Response("x");
    }
  }
  const { fetch: inherited } = Application.prototype;
  assertStrictEquals(resolveHttpOptions(new Application()).fetch, inherited);
  for (const options of [undefined, null, 5, "x", Symbol("x")]) {
    assertRefused(() => resolveHttpOptions(options), "ERR_INVALID_ARG_TYPE");
    assertRefused(() => resolveReloadOptions(options), "ERR_INVALID_ARG_TYPE");
  }
  assertThrows(
    () =>
      resolve({
        get tls() {
          throw new SyntaxError("from a getter");
        },
      }),
    SyntaxError,
  );
});

Deno.test("reload takes the handlers that are there and ignores the rest", () => {
  const routes = {};
  const error = () => new Response("e");
  const rest = { port: 99999, hostname: 5, idleTimeout: "x", id: {} };
  assertEquals(resolveReloadOptions({}), {});
  assertEquals(resolveReloadOptions({ ...rest, fetch }), { fetch });
  assertEquals(resolveReloadOptions({ routes }), { routes });
  assertEquals(resolveReloadOptions({ static: routes }), { routes });
  assertEquals(resolveReloadOptions({ error, fetch, routes }), {
    routes,
    fetch,
    error,
  });
  assertEquals(
    resolveReloadOptions({ fetch: null, error: undefined, routes: undefined }),
    {},
  );
  const wrong = [{ fetch: 5 }, { error: 5 }, { routes: null }, { tls: 5 }];
  for (const options of wrong) {
    assertRefused(() => resolveReloadOptions(options), "ERR_INVALID_ARG_TYPE");
  }
});

Deno.test({
  name: "without permission the environment counts as empty",
  permissions: { env: false },
  fn() {
    const plan = resolveHttpOptions({ fetch });
    assert(plan.listen.address.transport === "tcp");
    assertEquals(plan.listen.address.port, 3000);
    assertEquals(plan.development, true);
    assertEquals(plan.engine, "auto");
  },
});

Deno.test({
  name: "permission to read one variable is enough for that one",
  permissions: { env: ["PORT"] },
  fn() {
    const environment = { PORT: "4321", JSTIME_PORT: "1", NODE_ENV: "x" };
    const plan = resolveWith(environment, {});
    assert(plan.listen.address.transport === "tcp");
    assertEquals(plan.listen.address.port, 4321);
  },
});
