/**
 * Event streams without an engine: what is kept, how it is written, options.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type EventStreamOptions, serve, sse } from "@jstime/serve";
import type {
  Answer,
  EngineEventStream,
  Exchange,
  StreamAnswer,
} from "../../src/engine/engine.ts";
import { encodeData, encodeEvent } from "../../src/sse/event_encoding.ts";
import { EventIds } from "../../src/sse/event_ids.ts";
import { EventStreams } from "../../src/sse/event_streams.ts";
import { toPayload } from "../../src/websocket/payload.ts";
import { eventsIn } from "./event_client.ts";

const decoder = new TextDecoder();

/** A request for an event stream. */
function exchange(lastId?: string): Exchange {
  const request = new Request("http://localhost/", {
    headers: lastId === undefined ? {} : { "last-event-id": lastId },
  });
  return { request, setIdleTimeout() {} } as unknown as Exchange;
}

/** The content of an answer so far. */
async function read(answer: Answer): Promise<string> {
  const { source } = answer as StreamAnswer;
  return decoder.decode(await source.read());
}

/** A client, which leaves. */
function visit(streams: EventStreams, topic: string): void {
  const { source } = streams.answer(sse({ topic }), exchange()) as StreamAnswer;
  assertEquals(streams.count(topic), 1);
  source.cancel(undefined);
  assertEquals(streams.count(topic), 0);
}

Deno.test("topics that only clients name are forgotten, the oldest first", async () => {
  const streams = new EventStreams({});
  streams.publish("nobody's", "x");
  assertEquals(streams.topicCount, 0);
  streams.pin([sse({ topic: "pinned" })]);
  for (let count = 0; count < 3_000; count++) visit(streams, `topic ${count}`);
  assertEquals(streams.topicCount, 1_001);
  // One that is used is not among them.
  const stays = streams.answer(sse({ topic: "topic 2500" }), exchange());
  for (let count = 0; count < 3_000; count++) visit(streams, `other ${count}`);
  assertEquals(streams.topicCount, 1_002);
  streams.publish("topic 2500", "x");
  assert((await read(stays)).endsWith("data: x\n\n"));
  streams.pin([]);
  assertEquals(streams.topicCount, 1_001);
  streams.stop(false);
});

Deno.test("what is kept for nobody is bounded in bytes", () => {
  const streams = new EventStreams({});
  const half = "x".repeat(512 * 1024);
  for (let count = 0; count < 100; count++) {
    visit(streams, `topic ${count}`);
    assertEquals(streams.publish(`topic ${count}`, half), undefined);
  }
  assertEquals(streams.topicCount, 31);
  streams.stop(false);
});

Deno.test("routes let go of topics, and take them back", async () => {
  const streams = new EventStreams({});
  const stream = sse({ topic: "t" });
  const first = exchange("0-0");
  streams.pin([stream]);
  streams.publish("t", "1");
  streams.pin([]);
  streams.pin([stream, stream]);
  streams.publish("t", "2");
  const content = await read(streams.answer(stream, first));
  assertEquals(eventsIn(content).map(({ data }) => data), ["1", "2"]);
  streams.stop(false);
});

Deno.test("of several histories for a topic the longest counts", async () => {
  const streams = new EventStreams({});
  streams.pin([
    sse({ topic: "t", history: 0 }),
    sse({ topic: "t", history: 2 }),
    sse({ topic: "t", history: 1 }),
  ]);
  for (const text of ["1", "2", "3"]) streams.publish("t", text);
  const stream = sse({ topic: "t", history: 0, event: "e" });
  const content = await read(streams.answer(stream, exchange("0-0")));
  assertEquals(eventsIn(content).map(({ data }) => data), ["2", "3"]);
  streams.stop(false);
});

Deno.test("an engine's streams get one part for all of a type", () => {
  const sent: [number, string][] = [];
  const streams = new EventStreams({
    sendEvent(streams, text) {
      sent.push([streams.length, text.replace(/^id: .*\n/, "")]);
      return streams.length > 1;
    },
  });
  const opened: EngineEventStream[] = [];
  const direct = () => ({
    ...exchange(),
    openEventStream() {
      const stream = { context: undefined, send: () => false, end() {} };
      opened.push(stream);
      return stream;
    },
  });
  for (const event of [undefined, "e", "e"]) {
    streams.answer(sse({ topic: "t", event: event! }), direct());
  }
  assertEquals(streams.publish("t", "four"), -1);
  assertEquals(sent, [
    [1, "data: four\n\n"],
    [2, "event: e\ndata: four\n\n"],
  ]);
  streams.left(opened[1]!);
  assertEquals(streams.publish("t", "four"), 4);
  assertEquals(streams.count("t"), 2);
  streams.stop(false);
  assertEquals(streams.count("t"), 0);
});

Deno.test("what is published behind a Blob waits for it", async () => {
  const streams = new EventStreams({});
  const answer = streams.answer(sse({ topic: "t" }), exchange());
  const payload = toPayload(new Blob(["x"]));
  assertEquals(streams.publish("t", payload), 1);
  assertEquals(streams.publish("t", "behind"), 6);
  let content = "";
  while (!content.includes("behind")) content += await read(answer);
  assertEquals(eventsIn(content).map(({ data }) => data), ["eA==", "behind"]);
  streams.stop(false);
});

Deno.test("after stop, clients are sent away to come again", async () => {
  const streams = new EventStreams({});
  streams.stop(false);
  const stream = sse({ topic: "t", retry: 5 });
  const answer = streams.answer(stream, exchange()) as Response;
  assertEquals(answer.status, 200);
  assertEquals(await answer.text(), "retry: 5\n\n");
  assertEquals(streams.publish("t", "x"), undefined);
});

Deno.test("events are written line by line", () => {
  assertEquals(encodeData("a"), "data: a\n");
  assertEquals(encodeData(""), "data: \n");
  assertEquals(encodeData("\n"), "data: \ndata: \n");
  assertEquals(encodeData("a\r\n\rb\n"), "data: a\ndata: \ndata: b\ndata: \n");
  assertEquals(encodeData(new Uint8Array(0)), "data: \n");
  assertEquals(
    encodeEvent("1", "e", encodeData("a")),
    "id: 1\nevent: e\ndata: a\n\n",
  );
});

Deno.test("data with random line ends comes back", () => {
  const letters = ["\r", "\n", "\r\n", ":", " ", "a", "data: ", "\0", "\n\n"];
  for (let round = 0; round < 2_000; round++) {
    let text = "";
    for (let count = Math.random() * 12; count > 0; count--) {
      text += letters[Math.floor(Math.random() * letters.length)];
    }
    const [event, ...others] = eventsIn(
      encodeEvent("1", undefined, encodeData(text)),
    );
    assertEquals(event!.data, text.replaceAll(/\r\n|\r/g, "\n"));
    assertEquals(others, []);
  }
});

Deno.test("ids increase, and are understood", () => {
  const ids = new EventIds();
  const first = ids.idOf(ids.next());
  const second = ids.idOf(ids.next());
  assertEquals([first, second].map((id) => ids.lastSeen(id)), [1, 2]);
  assertEquals(ids.lastSeen(new EventIds().idOf(9)), 0);
  for (const id of [null, "", "1", "-1", "a-", `${first}0000000000000000`]) {
    assertEquals(ids.lastSeen(id), Infinity, `${id}`);
  }
});

Deno.test("sse() refuses what it cannot use", () => {
  const refused = (
    options: unknown,
    Type: typeof TypeError | typeof RangeError,
    message: string,
  ) => assertThrows(() => sse(options as EventStreamOptions), Type, message);
  const topic = "t";
  refused(undefined, TypeError, "Cannot use sse options undefined");
  refused({}, TypeError, "Cannot use topic undefined: expected a string");
  refused({ topic: "" }, TypeError, 'Cannot use topic "": expected a string');
  for (const event of ["", "a\n", "a\r", "\0", 5]) {
    refused({ topic, event }, TypeError, "Cannot use event ");
  }
  refused({ topic, retry: -1 }, RangeError, "Cannot use retry -1: expected");
  refused({ topic, retry: 1.5 }, RangeError, "Cannot use retry 1.5: expected");
  refused({ topic, retry: "1" }, TypeError, 'Cannot use retry "1": expected');
  refused({ topic, heartbeat: NaN }, RangeError, "Cannot use heartbeat NaN");
  refused(
    { topic, heartbeat: 86_401 },
    RangeError,
    "from 0 to 86400 (seconds)",
  );
  refused({ topic, history: 10_001 }, RangeError, "Cannot use history 10001");
  refused({ topic, backpressureLimit: -1 }, RangeError, "backpressureLimit -1");
  for (const name of ["Content-Type", "content-length", "connection"]) {
    refused(
      { topic, headers: { [name]: "x" } },
      TypeError,
      `Cannot use headers with ${name.toLowerCase()}`,
    );
  }
  refused({ topic, headers: { "a b": "c" } }, TypeError, "");
  sse({ topic, retry: null, event: null, history: null } as never);
});

Deno.test("routes refuse event streams for methods that they do not answer", () => {
  assertThrows(
    () =>
      serve({
        port: 0,
        engine: "deno",
        routes: { "/": { POST: sse({ topic: "t" }) } },
      }),
    TypeError,
    'Cannot add route "POST /": an event stream answers GET and HEAD',
  );
});
