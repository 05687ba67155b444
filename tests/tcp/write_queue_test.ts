import { assert, assertEquals } from "@std/assert";
import {
  BLOCK_LENGTH,
  takeBlock,
} from "../../src/engine/deno/tcp_write_blocks.ts";
import {
  WRITE_LIMIT,
  WriteQueue,
} from "../../src/engine/deno/tcp_write_queue.ts";

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** Takes everything out of a queue, as if it were sent. */
function sendAll(queue: WriteQueue): Uint8Array {
  const sent: Uint8Array[] = [];
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    sent.push(next.slice());
    queue.sent(next.length);
  }
  return joined(sent);
}

function joined(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => Array.from(part)));
}

Deno.test("what is taken is sent in order, whatever the sizes", () => {
  const queue = new WriteQueue();
  let expected: Uint8Array[] = [];
  let value = 0;
  for (const length of [1, 1023, 4096, 5000, 65_536, 65_537, 3, 200_000, 9]) {
    value++;
    assertEquals(queue.take(bytes(length, value)), length);
    expected.push(bytes(length, value));
    if (value % 3 > 0) continue;
    assertEquals(sendAll(queue), joined(expected));
    assertEquals(queue.size, 0);
    expected = [];
  }
});

Deno.test("what is being sent is not touched by what is taken", () => {
  for (const length of [100, 10_000, 100_000]) {
    const queue = new WriteQueue();
    queue.take(bytes(length, 1));
    const sending = queue.next()!;
    queue.take(bytes(length, 2));
    queue.take(bytes(length, 3));
    assert(sending.every((byte) => byte === 1));
    queue.sent(length - 1);
    assertEquals(queue.size, 2 * length + 1);
    queue.sent(1);
    const expected = joined([bytes(length, 2), bytes(length, 3)]);
    assertEquals(sendAll(queue), expected);
  }
});

Deno.test("bytes may change as soon as they are taken", () => {
  const queue = new WriteQueue();
  const mine = bytes(10_000, 1);
  queue.take(mine);
  mine.fill(2);
  assert(sendAll(queue).every((byte) => byte === 1));
});

Deno.test("queues that send at the same time share no memory", () => {
  const queues = Array.from({ length: 100 }, () => new WriteQueue());
  // Twice, so that there are blocks that were used before.
  for (let round = 0; round < 2; round++) {
    const sending = queues.map((queue, index) => {
      queue.take(bytes(20_000, index));
      return queue.next()!;
    });
    sending.forEach((bytes, index) => {
      assert(bytes.every((byte) => byte === index), `queue ${index}`);
    });
    for (const queue of queues) queue.sent(20_000);
  }
});

Deno.test("memory of a write that is under way is given to nobody", () => {
  const queue = new WriteQueue();
  queue.take(bytes(20_000, 1));
  const { buffer } = queue.next()!;
  queue.clear();
  const others = Array.from({ length: 100 }, takeBlock);
  assert(others.every((block) => block.buffer !== buffer));
});

Deno.test("an idle queue holds no block", () => {
  const queue = new WriteQueue();
  queue.take(bytes(BLOCK_LENGTH, 1));
  const { buffer } = queue.next()!;
  queue.sent(BLOCK_LENGTH);
  assertEquals(takeBlock().buffer, buffer);
});

Deno.test("beyond the limit nothing is taken, and then it drains once", () => {
  const queue = new WriteQueue();
  assertEquals(queue.take(bytes(WRITE_LIMIT - 10, 1)), WRITE_LIMIT - 10);
  assertEquals(queue.take(bytes(20, 2)), 10);
  assertEquals(queue.take(bytes(1, 3)), 0);
  assertEquals(queue.hasDrained(), false);
  sendAll(queue);
  assertEquals([queue.hasDrained(), queue.hasDrained()], [true, false]);
  // The last bytes before the end are taken whole.
  queue.takeAll(bytes(WRITE_LIMIT + 1, 4));
  assertEquals(queue.size, WRITE_LIMIT + 1);
});
