import { assertEquals, assertThrows } from "@std/assert";
import { normalizeServerName, SniTable } from "../../src/options/sni_table.ts";

const table = new SniTable([
  ["default.test", "first"],
  ["a.example.com", "exact"],
  ["*.example.com", "wildcard"],
  ["*.deep.example.com", "deep"],
  ["twice.test", "earlier"],
  ["TWICE.test", "later"],
  ["bücher.test", "idn"],
  ["dot.test.", "dot"],
]);

Deno.test("a name selects exact before wildcard before the first", () => {
  const cases: [name: string, value: string][] = [
    ["default.test", "first"],
    ["a.example.com", "exact"],
    ["A.Example.COM", "exact"],
    ["a.example.com.", "exact"],
    ["b.example.com", "wildcard"],
    ["B.EXAMPLE.COM", "wildcard"],
    ["x.deep.example.com", "deep"],
    ["deep.example.com", "wildcard"],
    ["x.y.example.com", "first"],
    ["example.com", "first"],
    [".example.com", "first"],
    ["*.example.com", "wildcard"],
    ["twice.test", "later"],
    ["xn--bcher-kva.test", "idn"],
    ["dot.test", "dot"],
    ["unknown.test", "first"],
    ["127.0.0.1", "first"],
    ["__proto__", "first"],
    ["constructor", "first"],
    ["", "first"],
    [".", "first"],
    ["..", "first"],
    ["a..example.com", "first"],
    ["x".repeat(70_000), "first"],
  ];
  for (const [name, value] of cases) {
    assertEquals(table.select(name), value, name.slice(0, 100));
  }
});

Deno.test("the first value needs no name and stays the default", () => {
  const unnamed = new SniTable([[undefined, 1], ["b.test", 2]]);
  assertEquals([unnamed.select(""), unnamed.select("b.test")], [1, 2]);
  const repeated = new SniTable([["a.test", 1], ["a.test", 2]]);
  assertEquals([repeated.select(""), repeated.select("a.test")], [1, 2]);
});

Deno.test("an SNI table needs an entry", () => {
  assertThrows(() => new SniTable([]), TypeError, "without an entry");
});

Deno.test("server names are brought to the form that clients send", () => {
  const cases: [name: string, normal: string][] = [
    ["Example.COM", "example.com"],
    ["*.Example.com", "*.example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*.bücher.example", "*.xn--bcher-kva.example"],
    ["with_underscore.test", "with_underscore.test"],
    ["localhost", "localhost"],
    ["trailing.test.", "trailing.test"],
    ["", ""],
    ["*", ""],
    ["*.", ""],
    ["a.*.test", ""],
    ["*a.test", ""],
    ["*.*.test", ""],
    ["a b", ""],
    ["a/b", ""],
    ["a:1", ""],
    ["a..b", ""],
    [".a", ""],
    ["a\0b", ""],
  ];
  for (const [name, normal] of cases) {
    assertEquals(normalizeServerName(name), normal, JSON.stringify(name));
  }
});
