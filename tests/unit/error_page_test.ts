import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  errorPage,
  type FailedRequest,
  productionError,
} from "../../src/http/error_page/error_page.ts";
import { parseStackTrace } from "../../src/http/error_page/stack_frames.ts";
import { readModuleSource } from "../../src/runtime/source_reader.ts";

const fromBrowser: FailedRequest = {
  method: "GET",
  url: "http://localhost/orders/7?token=secret#here",
  accept: "text/html,application/xhtml+xml,*/*;q=0.8",
};
const fromScript: FailedRequest = { ...fromBrowser, accept: "*/*" };

const noSource = () => undefined;

function page(error: unknown, source = noSource as typeof readModuleSource) {
  return errorPage(error, fromBrowser, source).text();
}

function plain(error: unknown) {
  return errorPage(error, fromScript, noSource).text();
}

/** An error whose stack is fixed, so that tests do not depend on this file. */
function errorAt(message: string, ...frames: string[]): Error {
  const error = new Error(message);
  error.stack = [`Error: ${message}`, ...frames.map((at) => `    at ${at}`)]
    .join("\n");
  return error;
}

Deno.test("errorPage() answers browsers with a page that loads nothing", async () => {
  const response = errorPage(new TypeError("Broken"), fromBrowser);
  assertEquals(response.status, 500);
  assertEquals(
    response.headers.get("content-type"),
    "text/html;charset=utf-8",
  );
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals(
    response.headers.get("content-security-policy"),
    "default-src 'none'; style-src 'unsafe-inline'",
  );
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  const text = await response.text();
  assert(text.startsWith("<!DOCTYPE html>"));
  assert(!/<script|\bon\w+=|\bsrc=|\bhref=/i.test(text));
});

Deno.test("errorPage() answers others with plain text", async () => {
  for (
    const accept of [
      null,
      "",
      "*/*",
      "application/json",
      "text/html;q=0",
      "text/html; q=0.0, */*",
      "text/htmlx",
    ]
  ) {
    const response = errorPage(new Error("No"), { ...fromBrowser, accept });
    assertEquals(
      response.headers.get("content-type"),
      "text/plain;charset=utf-8",
      `Accept: ${accept}`,
    );
    assert((await response.text()).startsWith("Error: No\n    at "));
  }
});

Deno.test("errorPage() finds text/html among other media ranges", () => {
  for (
    const accept of ["text/html", "a/b, TEXT/HTML ;q=0.1", "text/html;q=1"]
  ) {
    const response = errorPage(0, { ...fromBrowser, accept });
    assertEquals(
      response.headers.get("content-type"),
      "text/html;charset=utf-8",
      accept,
    );
  }
});

Deno.test("errorPage() shows name, message, code, method and path", async () => {
  const error = Object.assign(new RangeError("Too far"), { code: "EFAR" });
  const text = await page(error);
  for (const part of ["RangeError", "Too far", "EFAR", "GET", "/orders/7"]) {
    assertStringIncludes(text, part);
  }
});

Deno.test("errorPage() keeps the query, which may hold secrets, to itself", async () => {
  assert(!(await page(new Error("x"))).includes("secret"));
  assert(!(await plain(new Error("x"))).includes("secret"));
});

Deno.test("errorPage() shows the path of every form of request target", async () => {
  const targets: [string, string][] = [
    ["/a/b", "/a/b"],
    ["http://host/a?b=/c", "/a"],
    ["http://host", "/"],
    ["/x?y=http://z/", "/x"],
    ["http://host?x", "/"],
    ["*", "*"],
  ];
  for (const [url, path] of targets) {
    const response = errorPage(1, { ...fromBrowser, url });
    assertStringIncludes(
      await response.text(),
      `<span class="path">${path}</span>`,
      url,
    );
  }
});

Deno.test("errorPage() escapes everything it shows", async () => {
  const evil = `<img src=x onerror="a('&')">`;
  const error = Object.assign(
    errorAt(evil, `${evil} (file:///${evil}.ts:1:1)`),
    {
      name: evil,
      code: evil,
      cause: evil,
    },
  );
  const response = errorPage(
    error,
    { method: evil, url: `/${evil}`, accept: "text/html" },
    () => evil,
  );
  const text = await response.text();
  assert(!text.includes("<img"));
  assertStringIncludes(
    text,
    "&lt;img src=x onerror=&quot;a(&#39;&amp;&#39;)&quot;&gt;",
  );
});

Deno.test("errorPage() shows the source around a user's frame", async () => {
  const source = Array.from({ length: 30 }, (_, n) => `line(${n + 1});`);
  source[11] = "  const x = explode(1);";
  const asked: string[] = [];
  const text = await page(
    errorAt("Boom", "explode (file:///app/main.ts:12:13)"),
    (url) => (asked.push(url), source.join("\n")),
  );
  assertEquals(asked, ["file:///app/main.ts"]);
  assertStringIncludes(
    text,
    `<span class="here" data-line="12">  const x = <mark>explode</mark>(1);</span>`,
  );
  assertStringIncludes(text, `<span data-line="7">line(7);</span>`);
  assertStringIncludes(text, `<span data-line="16">line(16);</span>`);
  assert(!text.includes("line(6);") && !text.includes("line(17);"));
});

Deno.test("errorPage() reads no remote, internal or installed module", async () => {
  const asked: string[] = [];
  await page(
    errorAt(
      "Boom",
      "a (https://example.com/mod.ts:1:1)",
      "b (ext:core/01_core.js:1:1)",
      "c (node:internal:1:1)",
      "d (file:///app/node_modules/x/index.js:1:1)",
      "e (file://host/share/mod.ts:1:1)",
      "Array.map (<anonymous>)",
      "async Promise.all (index 0)",
    ),
    (url) => (asked.push(url), "source"),
  );
  assertEquals(asked, []);
});

Deno.test("errorPage() reads no file that a message or a value names", async () => {
  const frame = "    at x (file:///app/main.ts:1:1)";
  const asked: string[] = [];
  const source = (url: string) => (asked.push(url), "secret");

  // Frames in a message, as from `throw new Error(await request.text())`.
  const quoted = new Error(`a\n${frame}\nb\n${frame}`);
  quoted.stack = `Error: ${quoted.message}\n    at f (https://x/y.ts:1:1)`;
  await page(quoted, source);

  // A message that was changed after the stack was taken.
  const changed = new Error(`a\n${frame}`);
  changed.stack = `Error: ${changed.message}`;
  changed.message = "b";
  await page(changed, source);
  changed.message = "";
  await page(changed, source);

  // A value parsed from a request, as from `throw await request.json()`.
  await page({ message: "a", stack: `Error: a\n${frame}` }, source);

  assertEquals(asked, []);
});

Deno.test("errorPage() survives a source reader that throws or lies", async () => {
  const error = errorAt("Boom", "f (file:///app/main.ts:99:9)");
  assertStringIncludes(await page(error, () => "one line"), "Boom");
  assertStringIncludes(
    await page(error, () => {
      throw new Error("reader");
    }),
    "Boom",
  );
});

Deno.test("errorPage() cuts long lines around the position", async () => {
  const minified = `${"a".repeat(50_000)};explode()${"b".repeat(50_000)}`;
  const text = await page(
    errorAt("Boom", "f (file:///app/min.js:1:50002)"),
    () => minified,
  );
  assertStringIncludes(text, "<mark>explode</mark>");
  assert(text.length < 20_000, `${text.length} characters`);
});

Deno.test("errorPage() follows causes and aggregates, each once", async () => {
  const root = new Error("root");
  const first = new Error("first", { cause: root });
  root.cause = first;
  const text = await plain(
    new AggregateError([first, "plain string"], "all", { cause: root }),
  );
  assertEquals(text.match(/Caused by: Error: root/g)?.length, 1);
  assertEquals(text.match(/Error: first/g)?.length, 1);
  assertStringIncludes(text, "Error 2 of several: Thrown string");
});

Deno.test("errorPage() bounds long chains, messages and stacks", async () => {
  let error = new Error("end");
  for (let n = 0; n < 100; n++) {
    error = new Error(`link ${n}`, { cause: error });
  }
  assertEquals((await plain(error)).match(/link/g)?.length, 10);

  const huge = new Error("x".repeat(10_000_000));
  assert((await page(huge)).length < 64 * 1024);
  assert((await plain(huge)).length < 64 * 1024 + 2);

  const deep = errorAt(
    "deep",
    ...Array.from(
      { length: 1000 },
      () => `${"f".repeat(5000)} (file:///a:1:1)`,
    ),
  );
  assert((await plain(deep)).length < 64 * 1024 + 2);
});

Deno.test("errorPage() shows values that are no errors", async () => {
  const values: [unknown, string][] = [
    ["text", "Thrown string: 'text'"],
    [42, "Thrown number: 42"],
    [10n, "Thrown bigint: 10n"],
    [null, "Thrown null: null"],
    [undefined, "Thrown undefined: undefined"],
    [Symbol("s"), "Thrown symbol: Symbol(s)"],
    [{ status: 404 }, "Thrown object: { status: 404 }"],
    [["a"], "Thrown array: [ 'a' ]"],
    [() => 1, "Thrown function: "],
    [Object.create(null), "Thrown object: "],
  ];
  for (const [value, expected] of values) {
    assert((await plain(value)).startsWith(expected), expected);
    assert((await page(value)).startsWith("<!DOCTYPE html>"), expected);
  }
});

Deno.test("errorPage() shows a DOMException as an error", async () => {
  const text = await plain(new DOMException("Gone", "AbortError"));
  assert(text.startsWith("AbortError: Gone\n"), text);
});

Deno.test("errorPage() never throws, whatever was thrown", async () => {
  const throwing = {
    get() {
      throw new Error("get");
    },
    getPrototypeOf() {
      throw new Error("getPrototypeOf");
    },
    ownKeys() {
      throw new Error("ownKeys");
    },
    has() {
      throw new Error("has");
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const revokedArray = Proxy.revocable([], {});
  revokedArray.revoke();
  const getters = new Error("getters");
  for (const name of ["name", "message", "stack", "cause", "errors", "code"]) {
    Object.defineProperty(getters, name, {
      get() {
        throw new Error(name);
      },
    });
  }
  const values = [
    new Proxy({}, throwing),
    new Proxy(new Error("x"), throwing),
    new Proxy(function () {}, throwing),
    revoked.proxy,
    revokedArray.proxy,
    getters,
    Object.assign(new Error("x"), { stack: 1, name: Symbol("n"), code: {} }),
    Object.assign(new Error("x"), { name: null, message: undefined }),
    Object.assign(new Error("x"), { errors: revokedArray.proxy }),
    Object.assign(new Error("x"), { errors: new Proxy([], throwing) }),
    Object.assign(new Error("x"), { cause: revoked.proxy }),
    {
      toString() {
        throw new Error("toString");
      },
    },
    {
      [Symbol.for("nodejs.util.inspect.custom")]() {
        throw new Error("custom");
      },
    },
    new Error("\uD800 \0 \u202E"),
    new Error(""),
  ];
  for (const [index, value] of values.entries()) {
    for (const request of [fromBrowser, fromScript]) {
      const response = errorPage(value, request);
      assertEquals(response.status, 500, `value ${index}`);
      assert((await response.text()).length > 0, `value ${index}`);
    }
  }
});

Deno.test("productionError() tells nothing", async () => {
  const response = productionError();
  assertEquals(response.status, 500);
  assertEquals(response.headers.get("content-type"), "text/plain");
  assertEquals(await response.text(), "Something went wrong!");
});

Deno.test("parseStackTrace() reads every shape of frame", () => {
  const { frames, reliable } = parseStackTrace(
    [
      "Error: m",
      "    at f (file:///a.ts:1:2)",
      "    at async C.g (https://h:8/b.ts:3:4)",
      "    at new C (file:///dir%20(x)/c.ts:5:6)",
      "    at file:///d.ts:7:8",
      "    at async file:///e.ts:9:10",
      "    at Array.map (<anonymous>)",
      "    at eval (eval at f (file:///a.ts:1:2), <anonymous>:1:6)",
      "not a frame",
      "    at ",
    ].join("\n"),
    "m",
  );
  assert(reliable);
  assertEquals(frames, [
    { call: "f", module: "file:///a.ts", line: 1, column: 2 },
    { call: "async C.g", module: "https://h:8/b.ts", line: 3, column: 4 },
    { call: "new C", module: "file:///dir%20(x)/c.ts", line: 5, column: 6 },
    { call: "", module: "file:///d.ts", line: 7, column: 8 },
    { call: "async", module: "file:///e.ts", line: 9, column: 10 },
    { call: "Array.map", module: "<anonymous>", line: 0, column: 0 },
    {
      call: "eval",
      module: "eval at f (file:///a.ts:1:2), <anonymous>:1:6",
      line: 0,
      column: 0,
    },
    { call: "", module: "", line: 0, column: 0 },
  ]);
});

Deno.test("readModuleSource() reads this module", () => {
  assertStringIncludes(readModuleSource(import.meta.url) ?? "", "reads this");
});

Deno.test("readModuleSource() reads nothing else", () => {
  for (
    const url of [
      "https://example.com/mod.ts",
      "file:///etc/passwd",
      "file:///does/not/exist.ts",
      "file://host/share/mod.ts",
      new URL("./", import.meta.url).href,
      "data:text/javascript,1",
      "not a URL",
      "",
    ]
  ) {
    assertEquals(readModuleSource(url), undefined, url);
  }
});

Deno.test({
  name: "readModuleSource() gives up without read permission",
  permissions: { read: false },
  fn() {
    assertEquals(readModuleSource(import.meta.url), undefined);
  },
});
