import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  PendingBytes,
  toBytes,
  toPayload,
  toText,
} from "../../src/websocket/payload.ts";

Deno.test("toPayload: text, and what becomes text", () => {
  assertEquals(toPayload("a"), "a");
  assertEquals(toPayload(5), "5");
  assertEquals(toPayload(true), "true");
  assertEquals(toPayload(7n), "7");
  assertEquals(toPayload([1, 2]), "1,2");
  assertThrows(() => toPayload(undefined), TypeError);
  assertThrows(() => toPayload(null), TypeError);
  assertThrows(() => toPayload(Symbol("x")), TypeError);
});

Deno.test("toPayload: views show exactly their bytes", () => {
  const { buffer } = Uint8Array.of(1, 2, 3, 4);
  assertEquals(toPayload(buffer), Uint8Array.of(1, 2, 3, 4));
  assertEquals(toPayload(new DataView(buffer, 1, 2)), Uint8Array.of(2, 3));
  assertEquals(toPayload(new Uint16Array(buffer, 2)), Uint8Array.of(3, 4));
  const bytes = new Uint8Array(buffer, 1);
  assert(toPayload(bytes) === bytes);
});

Deno.test("toPayload: shared memory is copied", () => {
  const shared = new SharedArrayBuffer(3);
  const bytes = new Uint8Array(shared);
  bytes.set([1, 2, 3]);
  const payloads = [
    toPayload(shared),
    toPayload(bytes.subarray(1)),
    toPayload(new DataView(shared, 0, 2)),
  ] as Uint8Array[];
  bytes.fill(9);
  assertEquals(payloads, [
    Uint8Array.of(1, 2, 3),
    Uint8Array.of(2, 3),
    Uint8Array.of(1, 2),
  ]);
  for (const { buffer } of payloads) assertInstanceOf(buffer, ArrayBuffer);
});

Deno.test("toPayload: a Blob is read", async () => {
  const pending = toPayload(new Blob(["abc"]));
  assertInstanceOf(pending, PendingBytes);
  assertEquals(pending.size, 3);
  assertEquals(await pending.bytes, Uint8Array.of(97, 98, 99));
});

Deno.test("toText and toBytes take only theirs", () => {
  assertEquals(toText("a"), "a");
  assertEquals(toBytes(Uint8Array.of(1)), Uint8Array.of(1));
  assertThrows(() => toText(5), TypeError, "Cannot send 5: expected a string");
  assertThrows(
    () => toBytes("x"),
    TypeError,
    'Cannot send "x": expected bytes',
  );
});
