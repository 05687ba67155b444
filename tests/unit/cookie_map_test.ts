import { assert, assertEquals, assertThrows } from "@std/assert";
import { Cookie } from "../../src/http/cookies/cookie.ts";
import { CookieMap } from "../../src/http/cookies/cookie_map.ts";

const GONE = "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax";

/** Calls with values of any type, where TypeScript would not. */
function call(
  map: CookieMap,
  method: "set" | "delete",
  ...parameters: unknown[]
): unknown {
  return Reflect.apply(map[method], map, parameters);
}

Deno.test("CookieMap reads Cookie headers", () => {
  const cases: [string, [string, string][]][] = [
    ["", []],
    [" ", []],
    ["a=b", [["a", "b"]]],
    ["a=b; c=d", [["a", "b"], ["c", "d"]]],
    ["a=b;c=d", [["a", "b"], ["c", "d"]]],
    ["a=b;\tc=d", [["a", "b"], ["c", "d"]]],
    [";;; a=b ;;", [["a", "b"]]],
    ["a", []],
    ["=b", []],
    ["a=", [["a", ""]]],
    ["a = b ", [["a", "b"]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a=b, c=d", [["a", "b, c=d"]]],
    ["a=1; a=2", [["a", "1"], ["a", "2"]]],
    ['a="q"', [["a", '"q"']]],
    ['a="x;y"', [["a", '"x']]],
    ["a=+", [["a", "+"]]],
    ["a b=c", [["a b", "c"]]],
    ["%41=b", [["%41", "b"]]],
    ["a=%41%20%C3%BC%f0%9f%98%80", [["a", "A \u00fc\u{1f600}"]]],
    ["a=%EF%BF%BD%EF%BB%BF", [["a", "\ufffd\ufeff"]]],
    ["a=%00%0D%0A", [["a", "\0\r\n"]]],
    ["a=\u00c3\u00a0", [["a", "\u00c3\u00a0"]]],
    // Escapes that mean nothing stay as they are.
    ["a=%41%zz%", [["a", "A%zz%"]]],
    ["a=%FF", [["a", "%FF"]]],
    ["a=%c3x", [["a", "%c3x"]]],
    ["a=%", [["a", "%"]]],
  ];
  for (const [header, expected] of cases) {
    const map = new CookieMap(header);
    assertEquals([...map], expected, header);
    assertEquals(map.size, expected.length, header);
    assertEquals(map.toSetCookieHeaders(), [], header);
    for (const [name] of expected) {
      assert(map.has(name), header);
      const first = expected.find(([other]) => other === name)!;
      assertEquals(map.get(name), first[1], header);
    }
  }
});

Deno.test("CookieMap takes hostile headers of any size", () => {
  const headers = [
    "a=b;".repeat(100_000),
    ";".repeat(1_000_000),
    "=".repeat(1_000_000),
    " ".repeat(1_000_000),
    `a${" ".repeat(1_000_000)}b=c`,
    `a=${" ".repeat(1_000_000)}c`,
    `a=${"%".repeat(1_000_000)}`,
    `a=${"%ff ".repeat(250_000)}`,
    `a=${"%ff".repeat(250_000)}`,
    `a=${'"'.repeat(1_000_000)}`,
    Array.from({ length: 50_000 }, (_, index) => `n${index}=%`).join("; "),
    String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)),
    "\ud800=\udc00; \ud800",
  ];
  for (const header of headers) {
    const map = new CookieMap(header);
    const names = [...map.keys()];
    assertEquals(names.length, map.size);
    for (const name of names.slice(0, 10)) {
      assertEquals(typeof map.get(name), "string");
    }
    assertEquals(typeof JSON.stringify(map), "string");
    assertEquals(map.toSetCookieHeaders(), []);
  }
});

Deno.test("CookieMap treats names of Object.prototype as any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const map = new CookieMap(names.map((name) => `${name}=1`).join("; "));
  for (const name of names) assertEquals(map.get(name), "1");
  const json = map.toJSON();
  assertEquals(Object.keys(json), names);
  assertEquals(Object.getPrototypeOf(json), Object.prototype);
  assertEquals(Object.getOwnPropertyDescriptor(json, "__proto__")?.value, "1");
  assertEquals(({} as Record<string, unknown>)["1"], undefined);

  const empty = new CookieMap();
  for (const name of names) {
    assertEquals(empty.get(name), null);
    assertEquals(empty.has(name), false);
  }
  empty.set("__proto__", "x");
  assertEquals(empty.get("__proto__"), "x");
  assertEquals(empty.toSetCookieHeaders(), [
    "__proto__=x; Path=/; SameSite=Lax",
  ]);
  assertEquals(
    [...new CookieMap(JSON.parse('{"__proto__":"x"}'))],
    [["__proto__", "x"]],
  );
});

Deno.test("CookieMap is made from pairs and objects, which are no changes", () => {
  const cases: [ConstructorParameters<typeof CookieMap>[0], unknown][] = [
    [undefined, []],
    [null, []],
    [{}, []],
    [{ a: "%41", b: "x\r\n" }, [["a", "%41"], ["b", "x\r\n"]]],
    [[["a", "1"], ["a", "2"]], [["a", "1"], ["a", "2"]]],
    [new Map([["a", "1"]]), [["a", "1"]]],
    [new URLSearchParams("a=1"), [["a", "1"]]],
    [new CookieMap("a=%41"), [["a", "A"]]],
  ];
  for (const [init, expected] of cases) {
    const map = new CookieMap(init);
    assertEquals<unknown>([...map], expected);
    assertEquals(map.toSetCookieHeaders(), []);
  }
  const wrong = [5, true, () => {}, [["a"]], [["a", "b", "c"]], ["ab"], [5]];
  for (const init of wrong) {
    assertThrows(() => Reflect.construct(CookieMap, [init]), TypeError);
  }
});

Deno.test("CookieMap.set records one header for each name", () => {
  const map = new CookieMap("a=1; b=2; a=3");
  assertEquals(map.set("c", "x y"), undefined);
  map.set({ name: "d", value: "1", maxAge: 5 });
  const cookie = new Cookie("e", "1", { path: "/e" });
  map.set(cookie);
  cookie.value = "2";
  map.set("a", "new");
  map.set("c", "again", { path: "/c" });
  assertEquals(map.toSetCookieHeaders(), [
    "d=1; Path=/; Max-Age=5; SameSite=Lax",
    "e=2; Path=/e; SameSite=Lax",
    "a=new; Path=/; SameSite=Lax",
    "c=again; Path=/c; SameSite=Lax",
  ]);
  assertEquals([...map], [
    ["d", "1"],
    ["e", "2"],
    ["a", "new"],
    ["c", "again"],
    ["b", "2"],
  ]);
  assertEquals(map.get("a"), "new");
  assertEquals(map.size, 5);
  map.set("b", "");
  assertEquals(map.get("b"), "");
  assert(map.has("b"));
  call(map, "set", "count", 5);
  assertEquals(map.get("count"), "5");
});

Deno.test("CookieMap.set refuses what cannot be sent and changes nothing", () => {
  const map = new CookieMap("a=1");
  const wrong: unknown[][] = [
    [],
    ["x"],
    ["x=y; Path=/q"],
    [null],
    [{}],
    [{ value: "v" }],
    ["x y", "v"],
    ["x;y", "v"],
    ["", "v"],
    ["x\r\nSet-Cookie: evil", "v"],
    ["x", "v\r\nSet-Cookie: evil=1"],
    ["x", "v\0"],
    ["x", "v", { path: "/;" }],
    ["x", "v", { domain: "a\nb" }],
    ["x", "v", { sameSite: "x" }],
    ["x", "v", 5],
    ["x", Symbol("v")],
  ];
  for (const parameters of wrong) {
    assertThrows(() => call(map, "set", ...parameters), TypeError);
  }
  assertThrows(() => map.set("x", "v", { maxAge: NaN }), RangeError);
  assertEquals(map.toSetCookieHeaders(), []);
  assertEquals([...map], [["a", "1"]]);
});

Deno.test("CookieMap.delete always sends a cookie that has ended", () => {
  const map = new CookieMap("a=1; b=2; a=3");
  assertEquals(map.delete("a"), undefined);
  assertEquals(map.has("a"), false);
  assertEquals(map.get("a"), null);
  assertEquals([...map], [["b", "2"]]);
  map.delete("missing");
  map.delete("missing");
  assertEquals(map.toSetCookieHeaders(), [`a=; ${GONE}`, `missing=; ${GONE}`]);

  map.set("a", "back");
  assertEquals(map.get("a"), "back");
  map.set("c", "1");
  map.delete("c");
  assertEquals(map.toSetCookieHeaders(), [
    `missing=; ${GONE}`,
    "a=back; Path=/; SameSite=Lax",
    `c=; ${GONE}`,
  ]);
});

Deno.test("CookieMap.delete takes domain and path", () => {
  const expected = [
    "a=; Domain=example.com; Path=/x; " +
    "Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax",
  ];
  const one = new CookieMap();
  one.delete({ name: "a", domain: "example.com", path: "/x" });
  assertEquals(one.toSetCookieHeaders(), expected);
  const two = new CookieMap();
  two.delete("a", { domain: "example.com", path: "/x" });
  assertEquals(two.toSetCookieHeaders(), expected);
  const three = new CookieMap();
  three.delete({ name: "a", domain: null });
  assertEquals(three.toSetCookieHeaders(), [`a=; ${GONE}`]);
});

Deno.test("CookieMap.delete adds Secure where user agents insist on it", () => {
  for (const name of ["__Host-a", "__Secure-a"]) {
    const map = new CookieMap(`${name}=1`);
    map.delete(name);
    assertEquals(map.toSetCookieHeaders(), [
      `${name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; ` +
      "SameSite=Lax",
    ]);
  }
  const map = new CookieMap();
  map.delete("a", { secure: true, partitioned: true });
  assertEquals(map.toSetCookieHeaders(), [
    "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; Partitioned; " +
    "SameSite=Lax",
  ]);
});

Deno.test("CookieMap.delete refuses what cannot be sent", () => {
  const map = new CookieMap();
  const wrong: unknown[][] = [
    [],
    [null],
    [""],
    ["a;b"],
    ["a\r\nb"],
    [{}],
    [{ name: "a", path: "/;" }],
    [{ name: "a", domain: "x;" }],
    ["a", { path: "/\r\n" }],
  ];
  for (const parameters of wrong) {
    assertThrows(() => call(map, "delete", ...parameters), TypeError);
  }
  assertEquals(map.toSetCookieHeaders(), []);
});

Deno.test("CookieMap iterates names, values and entries", () => {
  const map = new CookieMap("a=1; b=2");
  assertEquals([...map.keys()], ["a", "b"]);
  assertEquals([...map.values()], ["1", "2"]);
  assertEquals([...map.entries()], [["a", "1"], ["b", "2"]]);
  const calls: unknown[] = [];
  const self = {};
  map.forEach(function (this: unknown, value, name, owner) {
    calls.push([value, name, owner === map, this === self]);
  }, self);
  assertEquals(calls, [["1", "a", true, true], ["2", "b", true, true]]);

  const seen: string[] = [];
  for (const [name] of map) {
    seen.push(name);
    map.set(`${name}${seen.length}`, "x");
    map.delete("b");
  }
  assertEquals(seen, ["a", "b"]);
});

Deno.test("CookieMap.toJSON keeps the first of several values", () => {
  const map = new CookieMap("a=1; a=2; b=%20");
  assertEquals(JSON.stringify(map), '{"a":"1","b":" "}');
  map.set("a", "3");
  assertEquals(map.toJSON(), { a: "3", b: " " });
});

Deno.test("CookieMap prints its content", () => {
  assertEquals(
    Deno.inspect(new CookieMap("a=b"), { colors: false }),
    'CookieMap { a: "b" }',
  );
});
