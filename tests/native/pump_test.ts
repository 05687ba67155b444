import { setImmediate } from "node:timers";
import { assert, assertEquals } from "@std/assert";
import {
  COMMAND_TIMEOUT,
  COMMANDS_BLOCKED,
  EVENT_DONE,
  EVENT_GONE,
  EVENT_HEARTBEAT,
  EVENT_SPACE,
  EVENT_STOPPED,
  EVENTS_BLOCKED,
  EVENTS_BYTES,
  IO_SLEEPS,
  JS_SLEEPS,
  REQUESTS_STARTED,
  RESPOND_NOTIFY,
} from "../../src/engine/native/abi.ts";
import type { Exchange } from "../../src/engine/engine.ts";
import { FakeIo, responseIn } from "./fake_io.ts";

/** Runs with a fake I/O thread, and closes it. */
async function withIo(
  use: (io: FakeIo) => Promise<void> | void,
  start?: number,
): Promise<void> {
  const io = new FakeIo(start);
  try {
    await use(io);
  } finally {
    io.close();
  }
}

Deno.test("requests are answered in order, with one wake for all", () =>
  withIo((io) => {
    io.serve((request) => new Response(new URL(request.url).pathname));
    for (let connection = 0; connection < 5; connection++) {
      io.request({ connection, generation: 7, target: `/${connection}` });
    }
    io.memory.control[IO_SLEEPS] = 1;
    io.pump.wake();
    const commands = io.commands();
    assertEquals(commands.map(({ kind }) => kind), Array(5).fill(1));
    assertEquals(commands.map(({ connection }) => connection), [0, 1, 2, 3, 4]);
    assertEquals(
      commands.map(({ generation }) => generation),
      Array(5).fill(7),
    );
    assertEquals(
      commands.map((command) => responseIn(command).text),
      ["/0", "/1", "/2", "/3", "/4"],
    );
    assertEquals(io.wakes, 1);
  }));

Deno.test("a thread that is awake is not woken", () =>
  withIo((io) => {
    io.serve(() => new Response("a"));
    io.request();
    io.pump.wake();
    assertEquals(io.commands().length, 1);
    assertEquals([io.wakes, io.helps], [0, 0]);
  }));

Deno.test("a small answer is carried out at once while the thread sleeps", () =>
  withIo((io) => {
    io.serve(() => new Response("a"));
    io.memory.control[IO_SLEEPS] = 1;
    for (let round = 1; round <= 2; round++) {
      io.request();
      io.pump.wake();
      assertEquals(io.commands().length, 1);
      assertEquals([io.wakes, io.helps], [0, round]);
    }
  }));

Deno.test("parts of a stream that follow at once are shown together", () =>
  withIo(async (io) => {
    let left = 8;
    const read = async () => {
      // As many microtasks as a ReadableStream may take for a part.
      for (let hop = 0; hop < 8; hop++) await null;
      return left-- > 0 ? new Uint8Array(2000) : undefined;
    };
    io.serve(() =>
      Promise.resolve({
        kind: "stream",
        status: 200,
        headers: new Headers(),
        source: { read, cancel() {} },
      })
    );
    io.request();
    io.memory.control[IO_SLEEPS] = 1;
    assertEquals((await io.turn()).length, 10);
    assertEquals([io.wakes, io.helps], [1, 0]);
  }));

Deno.test("the thread is woken for many answers, and for much content", () =>
  withIo((io) => {
    io.serve((request) =>
      new Response("a".repeat(request.url.endsWith("/much") ? 100_000 : 1))
    );
    io.memory.control[IO_SLEEPS] = 1;
    for (let connection = 0; connection < 3; connection++) {
      io.request({ connection });
    }
    io.pump.wake();
    assertEquals(io.commands().length, 3);
    assertEquals([io.wakes, io.helps], [1, 0]);
    io.memory.control[IO_SLEEPS] = 1;
    io.request({ target: "/much" });
    io.pump.wake();
    assertEquals(io.commands().length, 1);
    assertEquals([io.wakes, io.helps], [2, 0]);
  }));

Deno.test("a request whose client has left is counted and skipped", () =>
  withIo((io) => {
    const seen: string[] = [];
    io.serve((request) => {
      seen.push(request.url);
      return new Response("");
    });
    io.request({ connection: 1, generation: 1, target: "/a", targetSlot: 0 });
    io.request({ connection: 2, generation: 1, target: "/b" });
    io.memory.generations[1] = 2;
    io.request({ connection: 3, generation: 1, targetSlot: 0 });
    io.pump.wake();
    assertEquals(seen, ["http://localhost/b", "http://localhost/a"]);
    assertEquals(io.commands().map(({ connection }) => connection), [2, 3]);
    assertEquals(io.memory.control[REQUESTS_STARTED], 3);
  }));

Deno.test("records are understood at the end of the ring, and over 2^32", async () => {
  for (const start of [EVENTS_BYTES - 16, 2 ** 32 - 16, 2 ** 32 - 4096]) {
    await withIo(async (io) => {
      io.serve((request) => new Response(request.url));
      for (let count = 0; count < 100; count++) {
        io.request({ target: `/${count}` });
        const [command] = await io.turn();
        assertEquals(responseIn(command!).text, `http://localhost/${count}`);
      }
    }, start);
  }
});

Deno.test("a full ring of events is handled, and its producer told", () =>
  withIo(async (io) => {
    let count = 0;
    io.serve(() => {
      count++;
      return new Response("");
    });
    const content = new Uint8Array(30 * 1024);
    for (let index = 0; index < 30; index++) io.request({ content });
    io.memory.control[EVENTS_BLOCKED] = 1;
    while (count < 30) await io.turn();
    assertEquals(io.memory.control[EVENTS_BLOCKED], 0);
    assertEquals(io.wakes, 1);
  }));

Deno.test("a record larger than a batch is handled", () =>
  withIo(async (io) => {
    io.serve((request) =>
      new Response(String(request.headers.get("x-a")?.length))
    );
    const headers: [string, string][] = Array.from(
      { length: 4 },
      () => ["x-a", "b".repeat(60_000)],
    );
    io.request({ headers });
    io.request({ headers: [["x-a", "b"]] });
    const commands = await io.turn();
    assertEquals(
      commands.map((command) => responseIn(command).text),
      ["240006", "1"],
    );
  }));

Deno.test("more answers than the ring has place for arrive in order", () =>
  withIo(async (io) => {
    const size = 30_000;
    io.serve((request) =>
      new Response(new Uint8Array(size).fill(request.url.length))
    );
    for (let index = 0; index < 100; index++) {
      io.request({ connection: index, target: "/".padEnd(index + 1, "a") });
    }
    const seen: number[] = [];
    while (seen.length < 100) {
      for (const command of await io.turn()) {
        const { content } = responseIn(command);
        assertEquals(content.length, size);
        seen.push(content[0]!);
      }
    }
    assertEquals(
      seen,
      seen.map((_, index) => "http://localhost/".length + index),
    );
  }));

Deno.test("without space for answers JavaScript sleeps until it is rung", () =>
  withIo(async (io) => {
    let count = 0;
    io.serve(() => {
      count++;
      return new Response(new Uint8Array(30_000));
    });
    for (let index = 0; index < 100; index++) io.request({ connection: index });
    io.pump.wake();
    while (io.memory.control[JS_SLEEPS] === 0) {
      await new Promise<void>((resolve) => setImmediate(() => resolve()));
    }
    const before = count;
    assert(before < 100, "there was room for all");
    assertEquals(io.memory.control[COMMANDS_BLOCKED], 1);
    io.commands();
    io.pump.wake();
    assert(count > before, "it was rung");
    while (count < 100) await io.turn();
  }));

Deno.test("late answers wait for space in the ring", () =>
  withIo(async (io) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    io.serve(async (request) => {
      await promise;
      return new Response(new Uint8Array(30_000).fill(request.url.length));
    });
    for (let index = 0; index < 100; index++) {
      io.request({ connection: index, target: "/".padEnd(index + 1, "a") });
    }
    assertEquals(await io.turn(), []);
    resolve();
    const seen: number[] = [];
    while (seen.length < 100) {
      const commands = await io.turn();
      seen.push(...commands.map((command) => responseIn(command).content[0]!));
    }
    assertEquals(
      seen,
      seen.map((_, index) => "http://localhost/".length + index),
    );
  }));

Deno.test("answers that come together are shown together", () =>
  withIo(async (io) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    io.serve(async () => {
      await promise;
      return new Response("late");
    });
    io.request({ connection: 0 });
    io.request({ connection: 1 });
    assertEquals(await io.turn(), []);
    io.memory.control[IO_SLEEPS] = 1;
    resolve();
    assertEquals((await io.turn()).length, 2);
    assertEquals([io.wakes, io.helps], [0, 1]);
  }));

Deno.test("a handler that takes long does not hold back the answer before", () =>
  withIo((io) => {
    const seen: number[] = [];
    io.serve(() => {
      seen.push(io.commands().length);
      const end = performance.now() + 3;
      while (performance.now() < end);
      return new Response("");
    });
    for (let connection = 0; connection < 3; connection++) {
      io.request({ connection });
    }
    io.pump.wake();
    // Looking at the clock begins with the first answer.
    assertEquals(seen, [0, 0, 2]);
  }));

Deno.test("a long turn lets timers in", () =>
  withIo(async (io) => {
    const seen: string[] = [];
    io.serve(() => {
      seen.push("request");
      const end = performance.now() + 6;
      while (performance.now() < end);
      return new Response("");
    });
    for (let connection = 0; connection < 9; connection++) {
      io.request({ connection });
    }
    setTimeout(() => seen.push("timer"), 0);
    await io.turn();
    assertEquals(seen.filter((name) => name === "request").length, 9);
    assertEquals(seen.indexOf("timer") < 9, true);
  }));

Deno.test("without events JavaScript says that it sleeps, and wakes once rung", () =>
  withIo(async (io) => {
    io.serve(() => new Response("a"));
    await io.turn();
    assertEquals(io.memory.control[JS_SLEEPS], 1);
    io.request();
    io.memory.control[JS_SLEEPS] = 0;
    assertEquals((await io.turn()).length, 1);
    assertEquals(io.memory.control[JS_SLEEPS], 1);
  }));

Deno.test("events that ask for nothing are taken", () =>
  withIo(async (io) => {
    io.event(EVENT_HEARTBEAT);
    io.event(EVENT_SPACE);
    io.event(EVENT_GONE, 0, { connection: 9 });
    io.event(EVENT_STOPPED, 99);
    io.event(EVENT_DONE, 0, { connection: 300 });
    assertEquals(await io.turn(), []);
  }));

Deno.test("the stop of a listener is told to whoever answers for it", () =>
  withIo(async (io) => {
    let stopped = 0;
    io.pump.listen(5, {
      handler: () => new Response(""),
      scheme: "http",
      authority: "a",
      maxRequestBodySize: 1,
      isStopping: false,
      stopped: () => stopped++,
    });
    io.event(EVENT_STOPPED, 5);
    await io.turn();
    assertEquals(stopped, 1);
  }));

Deno.test("a client that leaves is told to those who asked, once", () =>
  withIo(async (io) => {
    const told: string[] = [];
    let kept: Exchange | undefined;
    io.serve((_, exchange) => {
      kept = exchange;
      exchange.onClientGone(() => told.push("one"));
      exchange.onClientGone(() => told.push("two"));
      return new Promise(() => {});
    });
    io.request();
    await io.turn();
    io.event(EVENT_GONE, 0, { generation: 2 });
    await io.turn();
    assertEquals(told, []);
    io.event(EVENT_GONE);
    io.event(EVENT_GONE);
    await io.turn();
    assertEquals(told, ["one", "two"]);
    kept!.onClientGone(() => told.push("late"));
    assertEquals(told, ["one", "two", "late"]);
  }));

Deno.test("an answer after the client left is dropped", () =>
  withIo(async (io) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    io.serve(() => promise);
    io.request();
    await io.turn();
    io.event(EVENT_GONE);
    await io.turn();
    resolve(new Response("late"));
    assertEquals(await io.turn(), []);
  }));

Deno.test("whether a watched response was written whole is asked for", () =>
  withIo(async (io) => {
    const told: string[] = [];
    io.serve((request, exchange) => {
      exchange.onClientGone(() => told.push(request.url));
      return new Response("");
    });
    io.request({ connection: 0, target: "/done" });
    io.request({ connection: 1, target: "/gone" });
    const commands = await io.turn();
    assertEquals(commands.map(({ flags }) => flags), [
      RESPOND_NOTIFY,
      RESPOND_NOTIFY,
    ]);
    io.event(EVENT_DONE, 0, { connection: 0 });
    io.event(EVENT_GONE, 0, { connection: 0 });
    io.event(EVENT_GONE, 0, { connection: 1 });
    await io.turn();
    assertEquals(told, ["http://localhost/gone"]);
  }));

Deno.test("an early answer wins, and is the only one", () =>
  withIo(async (io) => {
    io.serve((_, exchange) => {
      exchange.answerNow(new Response("early"));
      exchange.answerNow(new Response("again"));
      return new Response("late");
    });
    io.request();
    const commands = await io.turn();
    assertEquals(commands.map((command) => responseIn(command).text), [
      "early",
    ]);
  }));

Deno.test("an idle timeout travels in milliseconds", () =>
  withIo(async (io) => {
    io.serve((_, exchange) => {
      for (const seconds of [0, 1.5, Infinity]) {
        exchange.setIdleTimeout(seconds);
      }
      return new Response("");
    });
    io.request({ connection: 3, generation: 9 });
    const commands = await io.turn();
    const timeouts = commands.filter(({ kind }) => kind === COMMAND_TIMEOUT);
    assertEquals(timeouts.map(({ words }) => words[4]), [0, 1500, 2 ** 32 - 1]);
    assertEquals(timeouts.map(({ generation }) => generation), [9, 9, 9]);
  }));

Deno.test("after closing, nothing is done to the memory any more", async () => {
  const io = new FakeIo();
  const { promise, resolve } = Promise.withResolvers<Response>();
  const gone: string[] = [];
  io.serve((_, exchange) => {
    exchange.onClientGone(() => gone.push("gone"));
    return promise;
  });
  io.request();
  await io.turn();
  const before = io.memory.control.slice();
  io.close();
  assertEquals(gone, ["gone"]);
  resolve(new Response("late"));
  await io.turn();
  assertEquals(io.memory.control, before);
});
