import { assertEquals } from "@std/assert";
import { Outbox } from "../../src/websocket/outbox.ts";

Deno.test("Outbox does everything in its turn", async () => {
  const done: string[] = [];
  const empty = Promise.withResolvers<void>();
  const outbox = new Outbox(empty.resolve);
  const slow = Promise.withResolvers<void>();
  outbox.add(4, () => slow.promise.then(() => void done.push("slow")));
  outbox.add(2, () => void done.push("quick"));
  outbox.add(0, () => Promise.resolve().then(() => void done.push("async")));
  outbox.add(3, () => {
    done.push("adds");
    outbox.add(1, () => void done.push("added"));
  });
  assertEquals(outbox.bytes, 9);
  assertEquals(done, []);
  slow.resolve();
  await empty.promise;
  assertEquals(done, ["slow", "quick", "async", "adds", "added"]);
  assertEquals(outbox.bytes, 0);
});
