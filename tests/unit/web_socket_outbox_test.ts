import { assert, assertEquals } from "@std/assert";
import { WebSocketOutbox } from "../../src/engine/deno/web_socket_outbox.ts";

const OLDEST = { topic: "t", policy: "drop-oldest" } as const;

function latest(topic: string): { topic: string; policy: "latest" } {
  return { topic, policy: "latest" };
}

function all(outbox: WebSocketOutbox): string[] {
  const texts: string[] = [];
  while (!outbox.isEmpty) texts.push(String(outbox.take()));
  assertEquals(outbox.bytes, 0);
  assertEquals(outbox.take(), undefined);
  return texts;
}

Deno.test("WebSocketOutbox keeps the order, and copies bytes", () => {
  const outbox = new WebSocketOutbox();
  const bytes = Uint8Array.of(1, 2);
  outbox.add("a", 1, OLDEST);
  outbox.add(bytes, 2, undefined);
  outbox.add("bc", 2, latest("t"));
  bytes.fill(9);
  assertEquals(outbox.bytes, 5);
  assertEquals(all(outbox), ["a", "1,2", "bc"]);
});

Deno.test("WebSocketOutbox sheds the oldest that may be shed", () => {
  const outbox = new WebSocketOutbox();
  outbox.add("sent", 4, undefined);
  for (const text of ["one", "two", "six"]) outbox.add(text, 3, OLDEST);
  outbox.add("last", 4, latest("t"));
  outbox.shed(4);
  assertEquals(outbox.bytes, 11);
  outbox.shed(0);
  assertEquals(all(outbox), ["sent", "six", "last"]);
  outbox.add("sent", 4, undefined);
  outbox.add("one", 3, OLDEST);
  outbox.shed(100);
  assertEquals(all(outbox), ["sent"]);
});

Deno.test("WebSocketOutbox supersedes messages of a topic", () => {
  const outbox = new WebSocketOutbox();
  assert(!outbox.isBehind);
  outbox.add("a1", 2, latest("a"));
  outbox.add("b1", 2, latest("b"));
  outbox.add("a2", 2, latest("a"));
  outbox.add("a3", 2, { topic: "a", policy: "drop-oldest" });
  outbox.supersede("a");
  outbox.supersede("c");
  assert(outbox.isBehind);
  outbox.add("a4", 2, latest("a"));
  assertEquals(outbox.bytes, 6);
  assertEquals(all(outbox), ["b1", "a3", "a4"]);
});
