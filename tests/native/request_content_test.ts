import { assertEquals, assertRejects } from "@std/assert";
import type { Exchange } from "../../src/engine/engine.ts";
import {
  COMMAND_CONTENT,
  CONTENT_END,
  CONTENT_GATHER,
  CONTENT_STREAM,
  EVENT_CONTENT,
  EVENT_CONTENT_FAILED,
  EVENT_GONE,
} from "../../src/engine/native/abi.ts";
import { FakeIo } from "./fake_io.ts";

const encoder = new TextEncoder();

/** An upload whose content comes after its head, and its request. */
class Upload {
  readonly io: FakeIo = new FakeIo();
  request!: Request;
  exchange!: Exchange;
  readonly #answer: PromiseWithResolvers<Response> = Promise.withResolvers();

  /** @param first What comes with the head. */
  static async start(first = ""): Promise<Upload> {
    const upload = new Upload();
    upload.io.serve((request, exchange) => {
      upload.request = request;
      upload.exchange = exchange;
      return upload.#answer.promise;
    });
    upload.io.request({ method: "POST", content: first, isIncomplete: true });
    assertEquals(await upload.io.turn(), []);
    return upload;
  }

  /** The modes in which content was asked for since the last time. */
  async asked(): Promise<number[]> {
    const commands = await this.io.turn();
    return commands.filter(({ kind }) => kind === COMMAND_CONTENT)
      .map(({ words }) => words[4]!);
  }

  /** Content arrives, to wait behind what waits already. */
  async arrive(content: string | Uint8Array, isLast = false): Promise<void> {
    const bytes = typeof content === "string"
      ? encoder.encode(content)
      : content;
    const { contents } = this.io;
    const waiting = contents.get(0) ?? new Uint8Array(0);
    const all = new Uint8Array(waiting.length + bytes.length);
    all.set(waiting);
    all.set(bytes, waiting.length);
    contents.set(0, all);
    const flags = isLast ? CONTENT_END : 0;
    this.io.event(EVENT_CONTENT, all.length, { flags });
    await this.io.turn();
  }

  async answer(): Promise<void> {
    this.#answer.resolve(new Response("answer"));
    await this.io.turn();
  }

  [Symbol.dispose](): void {
    this.io.close();
  }
}

Deno.test("content is gathered for those who want all of it", async () => {
  using upload = await Upload.start("fir");
  assertEquals(upload.exchange.hasContent, true);
  const text = upload.request.text();
  assertEquals(upload.request.bodyUsed, true);
  assertEquals(await upload.asked(), [CONTENT_GATHER]);
  await upload.arrive("st, se\u00e4", true);
  assertEquals(await text, "first, seä");
  await assertRejects(() => upload.request.text(), TypeError);
});

Deno.test("content that has arrived before it is read is not asked for", async () => {
  using upload = await Upload.start();
  await upload.arrive("whole", true);
  assertEquals(await upload.request.text(), "whole");
  assertEquals(await upload.asked(), []);
});

Deno.test("empty content can be gathered", async () => {
  using upload = await Upload.start();
  const bytes = upload.request.bytes();
  await upload.arrive("", true);
  assertEquals(await bytes, new Uint8Array(0));
});

Deno.test("content is streamed as it arrives", async () => {
  using upload = await Upload.start("fi");
  const { body } = upload.request;
  assertEquals(upload.request.body, body);
  assertEquals(upload.request.bodyUsed, false);
  const reader = body!.getReader();
  assertEquals(await upload.asked(), [CONTENT_STREAM]);
  assertEquals(await reader.read(), {
    done: false,
    value: encoder.encode("fi"),
  });
  assertEquals(upload.request.bodyUsed, true);
  const second = reader.read();
  await upload.arrive("rst");
  assertEquals((await second).value, encoder.encode("rst"));
  // Nobody reads: it waits.
  await upload.arrive("one");
  await upload.arrive("two");
  assertEquals(upload.io.contents.get(0)!.length, 6);
  assertEquals((await reader.read()).value, encoder.encode("onetwo"));
  const last = reader.read();
  await upload.arrive("end", true);
  assertEquals((await last).value, encoder.encode("end"));
  assertEquals(await reader.read(), { done: true, value: undefined });
});

Deno.test("a stream ends when the end comes alone", async () => {
  using upload = await Upload.start();
  const reader = upload.request.body!.getReader();
  const end = reader.read();
  await upload.arrive("", true);
  assertEquals(await end, { done: true, value: undefined });
});

Deno.test("a reader may bring a buffer of its own", async () => {
  using upload = await Upload.start();
  const reader = upload.request.body!.getReader({ mode: "byob" });
  const part = reader.read(new Uint8Array(3));
  await upload.arrive("first");
  assertEquals((await part).value, encoder.encode("fir"));
  assertEquals(
    (await reader.read(new Uint8Array(9))).value,
    encoder.encode("st"),
  );
  const end = reader.read(new Uint8Array(3));
  await upload.arrive("", true);
  assertEquals((await end).done, true);
});

Deno.test("large content is streamed in parts", async () => {
  using upload = await Upload.start();
  const content = Uint8Array.from({ length: 200_000 }, (_, index) => index);
  const bytes = new Response(upload.request.body).bytes();
  await upload.arrive(content.subarray(0, 150_000));
  await upload.arrive(content.subarray(150_000), true);
  assertEquals(await bytes, content);
});

Deno.test("json, and forms, of content that comes later", async () => {
  using upload = await Upload.start();
  const json = upload.request.json();
  await upload.arrive('{"a":1}', true);
  assertEquals(await json, { a: 1 });
  using broken = await Upload.start();
  const failing = assertRejects(() => broken.request.json(), SyntaxError);
  await broken.arrive("{", true);
  await failing;
});

Deno.test("a cancelled stream harms nothing", async () => {
  using upload = await Upload.start();
  await upload.request.body!.cancel();
  await upload.arrive("ignored", true);
  await upload.answer();
  assertEquals(upload.exchange.refusal, undefined);
});

Deno.test("content that is too large rejects, and says how to refuse it", async () => {
  for (const read of ["text", "body"] as const) {
    using upload = await Upload.start();
    const error = assertRejects(
      () =>
        read === "text"
          ? upload.request.text()
          : upload.request.body!.getReader().read(),
      RangeError,
      "maxRequestBodySize (1000 bytes)",
    );
    upload.io.event(EVENT_CONTENT_FAILED, 413);
    await upload.io.turn();
    assertEquals(
      (await error as Error & { code?: string }).code,
      "ERR_BODY_TOO_LARGE",
    );
    assertEquals(upload.exchange.refusal, 413);
  }
});

Deno.test("malformed content rejects before and after it is read", async () => {
  using upload = await Upload.start();
  upload.io.event(EVENT_CONTENT_FAILED, 400);
  await upload.io.turn();
  assertEquals(upload.exchange.refusal, 400);
  await assertRejects(() => upload.request.text(), Error, "malformed");
});

Deno.test("content of a client that leaves rejects", async () => {
  using upload = await Upload.start("half");
  const reader = upload.request.body!.getReader();
  await reader.read();
  const rest = assertRejects(() => reader.read(), Error, "client has left");
  upload.io.event(EVENT_GONE);
  await upload.io.turn();
  await rest;
  assertEquals(upload.exchange.refusal, 400);
});

Deno.test("content that arrived whole is there though its client left", async () => {
  using upload = await Upload.start();
  const text = upload.request.text();
  await upload.arrive("whole", true);
  upload.io.event(EVENT_GONE);
  await upload.io.turn();
  assertEquals(await text, "whole");
  assertEquals(upload.exchange.refusal, undefined);
});

Deno.test("reading what is left of an answered request rejects", async () => {
  using upload = await Upload.start();
  const rest = assertRejects(
    () => upload.request.text(),
    Error,
    "was answered",
  );
  await upload.answer();
  await rest;
});
