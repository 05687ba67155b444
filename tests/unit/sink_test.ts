import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import {
  ArrayBufferSink,
  type ArrayBufferSinkOptions,
} from "../../src/sink.ts";

const text = (bytes: unknown) =>
  new TextDecoder().decode(bytes as ArrayBuffer | Uint8Array);

function sinkWith(options?: ArrayBufferSinkOptions): ArrayBufferSink {
  const sink = new ArrayBufferSink();
  sink.start(options);
  return sink;
}

Deno.test("without stream, the sink keeps everything until end", () => {
  for (const sink of [new ArrayBufferSink(), sinkWith(), sinkWith({})]) {
    assertEquals(sink.write("abé"), 4);
    assertEquals(sink.flush(), 0);
    assertEquals(sink.write(new Uint8Array([65, 66])), 2);
    assertEquals(sink.flush(), 0);
    const whole = sink.end();
    assert(whole instanceof ArrayBuffer);
    assertEquals(text(whole), "abéAB");
    assertEquals((sink.end() as ArrayBuffer).byteLength, 0);
  }
});

Deno.test("with stream, flush hands out an ArrayBuffer", () => {
  const sink = sinkWith({ stream: true });
  assertEquals((sink.flush() as ArrayBuffer).byteLength, 0);
  sink.write("one");
  const first = sink.flush();
  assert(first instanceof ArrayBuffer);
  sink.write("two");
  sink.write("!");
  assertEquals([text(first), text(sink.flush())], ["one", "two!"]);
  sink.write("rest");
  assertEquals(text(sink.end()), "rest");
});

Deno.test("with stream and asUint8Array, flush hands out a Uint8Array", () => {
  const sink = sinkWith({ stream: true, asUint8Array: true, highWaterMark: 2 });
  sink.write("more than two");
  const first = sink.flush();
  assert(first instanceof Uint8Array);
  assertEquals(first.byteOffset, 0);
  assertEquals(first.buffer.byteLength, first.length);
  sink.write("overwrites nothing");
  assertEquals(text(first), "more than two");
  const last = sink.end();
  assert(last instanceof Uint8Array);
  assertEquals(text(last), "overwrites nothing");
});

Deno.test("asUint8Array alone concerns end", () => {
  const sink = sinkWith({ asUint8Array: true });
  sink.write("x");
  assertEquals(sink.flush(), 0);
  assertEquals(sink.end(), new Uint8Array([120]));
});

Deno.test("the sink takes text and every kind of bytes", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const cases: [Parameters<ArrayBufferSink["write"]>[0], number[]][] = [
    ["", []],
    ["é", [0xc3, 0xa9]],
    ["\ud800", [0xef, 0xbf, 0xbd]],
    [bytes, [1, 2, 3, 4]],
    [bytes.subarray(1, 3), [2, 3]],
    [new DataView(bytes.buffer, 2), [3, 4]],
    [new Uint16Array(bytes.buffer, 2, 1), [3, 4]],
    [bytes.buffer, [1, 2, 3, 4]],
    [new SharedArrayBuffer(2), [0, 0]],
  ];
  for (const [chunk, expected] of cases) {
    const sink = sinkWith({ asUint8Array: true });
    assertEquals(sink.write(chunk), expected.length);
    assertEquals([...sink.end() as Uint8Array], expected);
  }
});

Deno.test("the sink copies what it is given", () => {
  const sink = sinkWith();
  const bytes = new Uint8Array([1]);
  sink.write(bytes);
  bytes[0] = 2;
  assertEquals(new Uint8Array(sink.end() as ArrayBuffer)[0], 1);
});

Deno.test("start forgets what was written and changes the mode", () => {
  const sink = sinkWith({ stream: true });
  sink.write("old");
  sink.start({ asUint8Array: true });
  sink.write("new");
  assertEquals(sink.flush(), 0);
  assertEquals(text(sink.end()), "new");
});

Deno.test("a sink can be used again after end", () => {
  const sink = sinkWith({ asUint8Array: true });
  sink.write("a");
  sink.end();
  sink.write("b");
  assertEquals(text(sink.end()), "b");
});

Deno.test("highWaterMark never makes the sink allocate without bound", () => {
  for (const highWaterMark of [-1, 0, 0.5, 1.5, NaN, 1e15, Infinity]) {
    const sink = sinkWith({ highWaterMark });
    sink.write("content");
    assertEquals(text(sink.end()), "content");
  }
});

Deno.test("the sink joins a megabyte of small writes", () => {
  const sink = sinkWith({ stream: true, asUint8Array: true });
  for (let index = 0; index < 2 ** 16; index++) {
    sink.write(String(index % 10).repeat(16));
  }
  const bytes = sink.flush() as Uint8Array;
  assertEquals(bytes.length, 2 ** 20);
  assertEquals(text(bytes.subarray(-16)), "5".repeat(16));
  assertNotEquals(bytes[0], bytes[16]);
});

Deno.test("the sink refuses everything else", () => {
  const sink = sinkWith();
  for (const chunk of [5, null, undefined, {}, [1], new Blob(["x"]), true]) {
    const error = assertThrows(
      () => sink.write(chunk as unknown as string),
      TypeError,
      "expected text or bytes",
    );
    assertEquals((error as { code?: string }).code, "ERR_INVALID_ARG_TYPE");
  }
});
