import { assertEquals, assertThrows } from "@std/assert";
import {
  busOption,
  publishOptions,
  topicsOption,
} from "../../src/options/publish_options.ts";

Deno.test("busOption takes names", () => {
  assertEquals(busOption(undefined), undefined);
  assertEquals(busOption(null), undefined);
  assertEquals(busOption("chat"), "chat");
  assertThrows(() => busOption(""), TypeError, 'Cannot use bus "": expected');
  assertThrows(() => busOption({}), TypeError, "Cannot use bus (an object)");
});

Deno.test("topicsOption keeps policies that are not the default", () => {
  assertEquals(topicsOption(undefined), new Map());
  assertEquals(topicsOption(null), new Map());
  const policies = topicsOption({
    a: { policy: "latest" },
    b: { policy: "drop-newest" },
    c: {},
    d: undefined,
    e: { policy: null },
    __proto__: { policy: "latest" },
    ["constructor"]: { policy: "disconnect" },
  });
  assertEquals([...policies], [["a", "latest"], ["constructor", "disconnect"]]);
});

Deno.test("topicsOption names what is wrong", () => {
  assertThrows(
    () => topicsOption("a"),
    TypeError,
    'Cannot use websocket.topics "a": expected an object',
  );
  assertThrows(
    () => topicsOption({ a: "latest" }),
    TypeError,
    'Cannot use websocket.topics["a"] "latest": expected an object',
  );
  assertThrows(
    () => topicsOption({ a: { policy: "last" } }),
    TypeError,
    'Cannot use websocket.topics["a"].policy "last": expected one of "drop-newest"',
  );
});

Deno.test("publishOptions has defaults, and refuses what it does not know", () => {
  assertEquals(publishOptions({}, true), { compress: true, policy: undefined });
  assertEquals(
    publishOptions({ compress: null, policy: null }, true),
    { compress: true, policy: undefined },
  );
  assertEquals(
    publishOptions({ compress: true, policy: "drop-newest" }, false),
    { compress: true, policy: "drop-newest" },
  );
  assertThrows(
    () => publishOptions({ policy: 5 }, false),
    TypeError,
    "Cannot use policy 5: expected one of",
  );
  assertThrows(
    () => publishOptions({ compress: "yes" }, false),
    TypeError,
    'Cannot use compress "yes": expected a boolean',
  );
});
