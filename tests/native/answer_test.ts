import { assert, assertEquals, assertRejects } from "@std/assert";
import type {
  Answer,
  ByteSource,
  Exchange,
  OpenFile,
} from "../../src/engine/engine.ts";
import {
  COMMAND_ABORT,
  COMMAND_CHUNK,
  COMMAND_RESPOND,
  COMMAND_RESPOND_FILE,
  COMMAND_RESPOND_STREAM,
  CONTENT_PRESENT,
  EVENT_GONE,
  EVENT_WRITTEN,
  INLINE_CONTENT,
  IO_SLEEPS,
  RESPOND_CONTENT_TOKEN,
  RESPOND_END,
  RESPOND_LENGTH_KNOWN,
  RESPOND_NO_CONTENT,
  STREAM_WINDOW,
  TYPE_JSON,
  TYPE_NONE,
  TYPE_TEXT,
} from "../../src/engine/native/abi.ts";
import { pairsOf } from "../../src/engine/native/header_lines.ts";
import { NativeOpenFile } from "../../src/engine/native/open_file.ts";
import { sendResponse } from "../../src/engine/native/response.ts";
import { responseSymbols } from "../../src/engine/native/response_parts.ts";
import type { NativeExchange } from "../../src/engine/native/exchange.ts";
import { type Command, FakeIo, responseIn } from "./fake_io.ts";

/** The commands that an answer becomes. */
async function commandsOf(
  answer: (exchange: Exchange) => Answer | Promise<Answer>,
  method = "GET",
): Promise<{ io: FakeIo; commands: Command[] }> {
  const io = new FakeIo();
  io.serve((_, exchange) => answer(exchange));
  io.request({ method });
  return { io, commands: await io.turn() };
}

async function sent(response: Response) {
  const { io, commands: [command, ...more] } = await commandsOf(() => response);
  io.close();
  assertEquals(more, []);
  assertEquals(command!.kind, COMMAND_RESPOND);
  return { ...responseIn(command!), flags: command!.flags };
}

const ASCII = "a".repeat(95);

/** What is sent for a response, by its way into the world. */
const responses: [
  name: string,
  make: () => Response,
  status: number,
  type: number,
  lines: RegExp,
  text: string,
][] = [
  ["text", () => new Response("hello"), 200, TYPE_TEXT, /^$/, "hello"],
  ["an empty text", () => new Response(""), 200, TYPE_TEXT, /^$/, ""],
  ["other letters", () => new Response("aä€😀"), 200, TYPE_TEXT, /^$/, "aä€😀"],
  ["half a letter", () => new Response("a\ud800"), 200, TYPE_TEXT, /^$/, "a�"],
  ["95 letters", () => new Response(ASCII), 200, TYPE_TEXT, /^$/, ASCII],
  [
    "97 letters",
    () => new Response(ASCII + "ab"),
    200,
    TYPE_TEXT,
    /^$/,
    ASCII + "ab",
  ],
  [
    "long text of other letters",
    () => new Response("ä".repeat(5000)),
    200,
    TYPE_TEXT,
    /^$/,
    "ä".repeat(5000),
  ],
  ["JSON", () => Response.json([1]), 200, TYPE_JSON, /^$/, "[1]"],
  [
    "JSON with a status",
    () => Response.json([1], { status: 404 }),
    404,
    TYPE_NONE,
    /^content-type: application\/json\r\n$/i,
    "[1]",
  ],
  [
    "a type",
    () => new Response("<p>", { headers: { "content-type": "text/html" } }),
    200,
    TYPE_NONE,
    /^content-type: text\/html\r\n$/i,
    "<p>",
  ],
  [
    "headers",
    () =>
      new Response("a", {
        status: 201,
        headers: [["X-A", "caf\xe9"], ["set-cookie", "a"], ["set-cookie", "b"]],
      }),
    201,
    TYPE_NONE,
    /^x-a: caf\xe9\r\nset-cookie: a\r\nset-cookie: b\r\ncontent-type: text\/plain;charset=utf-8\r\n$/i,
    "a",
  ],
  [
    "headers that were changed later",
    () => {
      const response = new Response("a");
      response.headers.set("x-a", "b");
      response.headers.delete("content-type");
      return response;
    },
    200,
    TYPE_NONE,
    /^x-a: b\r\n$/,
    "a",
  ],
  [
    "bytes",
    () => new Response(Uint8Array.of(0x61, 0x62)),
    200,
    TYPE_NONE,
    /^$/,
    "ab",
  ],
  [
    "a part of a buffer",
    () => new Response(Uint8Array.of(0x61, 0x62, 0x63).subarray(1)),
    200,
    TYPE_NONE,
    /^$/,
    "bc",
  ],
  [
    "an ArrayBuffer, with headers",
    () => new Response(Uint8Array.of(0x61).buffer, { headers: { "x-a": "b" } }),
    200,
    TYPE_NONE,
    /^x-a: b\r\n$/,
    "a",
  ],
  [
    "a form",
    () => new Response(new URLSearchParams({ a: "b c" })),
    200,
    TYPE_NONE,
    /^content-type: application\/x-www-form-urlencoded;charset=utf-8\r\n$/i,
    "a=b+c",
  ],
  [
    "a clone",
    () => new Response("a").clone(),
    200,
    TYPE_NONE,
    /^content-type/i,
    "a",
  ],
  [
    "a subclass",
    () => new (class Page extends Response {})("a"),
    200,
    TYPE_TEXT,
    /^$/,
    "a",
  ],
];
for (const [name, make, status, type, lines, text] of responses) {
  Deno.test(`what is sent for ${name}`, async () => {
    const response = make();
    const command = await sent(response);
    assertEquals(command.status, status);
    assertEquals(command.type, type);
    assert(lines.test(command.lines), command.lines);
    assertEquals(command.text, text);
    assertEquals(command.flags, 0);
    assertEquals(response.bodyUsed, true);
    await assertRejects(() => response.text(), TypeError);
  });

  Deno.test(`what is sent for ${name}, read the public way`, async () => {
    const fields = new Headers(make().headers);
    const { io, commands } = await commandsOf((exchange) => {
      sendResponse(exchange as NativeExchange, make(), null);
      return new Promise(() => {});
    });
    io.close();
    assertEquals(commands.length, 1);
    const command = responseIn(commands[0]!);
    assertEquals(command.status, status);
    const shown = [...fields].map(([name, value]) => `${name}: ${value}\r\n`);
    assertEquals(command.lines, shown.join(""));
    assertEquals(command.text, text);
  });
}

Deno.test("no content is told apart from empty content", async () => {
  for (
    const response of [new Response(), new Response(null, { status: 204 })]
  ) {
    const { status } = response;
    const command = await sent(response);
    assertEquals(command.status, status);
    assertEquals(command.flags, RESPOND_NO_CONTENT);
    assertEquals(response.bodyUsed, false);
  }
  assertEquals((await sent(new Response(""))).flags, 0);
});

Deno.test("the platform's responses are read by their symbols", () => {
  assert(responseSymbols !== null);
});

for (
  const [name, content] of [
    ["text", "a".repeat(INLINE_CONTENT + 1)],
    ["other text", "€".repeat(INLINE_CONTENT / 2)],
    ["very long text", "ä".repeat(600_000)],
    ["bytes", new Uint8Array(INLINE_CONTENT + 1).fill(7)],
  ] as const
) {
  Deno.test(`${name} that is too long for the ring is lent`, async () => {
    const response = new Response(content as string, {
      headers: { "x-a": "b", "content-type": "c" },
    });
    const { io, commands: [command] } = await commandsOf(() => response);
    io.close();
    const { words, bytes, flags } = command!;
    assertEquals(flags, RESPOND_CONTENT_TOKEN);
    const expected = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    assertEquals(words[6], expected.length);
    assertEquals(io.lent.get(words[7]!), expected);
    const lines = bytes.subarray(32, 32 + words[5]!);
    assertEquals(
      new TextDecoder().decode(lines),
      "x-a: b\r\ncontent-type: c\r\n",
    );
  });
}

for (const isTaken of [true, false]) {
  const what = isTaken ? "is carried out at once" : "is lent if that fails";
  Deno.test(`long content for a sleeping thread ${what}`, async () => {
    const content = new Uint8Array(INLINE_CONTENT + 1).fill(7);
    const io = new FakeIo();
    io.mayPresent = isTaken;
    io.serve((_, { request: { url } }) => {
      // It falls asleep between both requests.
      io.memory.control[IO_SLEEPS] = url.endsWith("/long") ? 1 : 0;
      return new Response(url.endsWith("/long") ? content : "short");
    });
    io.request({ connection: 1, target: "/short" });
    io.request({ connection: 2, target: "/long" });
    const [short, long, ...more] = await io.turn();
    io.close();
    assertEquals(more, []);
    assertEquals(responseIn(short!).text, "short");
    assertEquals(long!.connection, 2);
    assertEquals(long!.flags, RESPOND_CONTENT_TOKEN);
    const token = long!.words[7]!;
    if (isTaken) {
      assertEquals(token, CONTENT_PRESENT);
      assertEquals(io.presented, [{ connection: 2, content }]);
      assertEquals([io.lent.size, io.helps, io.wakes], [0, 0, 0]);
    } else {
      assertEquals(io.lent.get(token), content);
      assertEquals([io.helps, io.wakes], [0, 1]);
    }
  });
}

Deno.test("content as long as the ring takes is not lent", async () => {
  const content = new Uint8Array(INLINE_CONTENT).fill(7);
  const { io, commands } = await commandsOf(() => new Response(content));
  io.close();
  assertEquals(responseIn(commands[0]!).content, content);
  assertEquals(io.lent.size, 0);
});

Deno.test("headers without end become a 500", async () => {
  const errors: unknown[] = [];
  const { error } = console;
  console.error = (value) => errors.push(value);
  try {
    const headers = { "x-a": "b".repeat(200_000) };
    const command = await sent(new Response("a", { headers }));
    assertEquals(command.status, 500);
    assertEquals(command.text, "");
    assert(String(errors[0]).includes("headers are too large (200"));
  } finally {
    console.error = error;
  }
});

Deno.test("the pairs of a Headers object, also the public way", () => {
  const headers = new Headers([["B", "1"], ["a", "2"], ["b", "3"]]);
  headers.append("set-cookie", "c");
  assertEquals([...pairsOf(headers)].map((pair) => pair.join(" ")), [
    "B 1",
    "a 2",
    "B 3",
    "set-cookie c",
  ]);
  assertEquals([...pairsOf(headers, null)], [...headers]);
});

/** A source of these chunks, which tells what is done with it. */
class Chunks implements ByteSource {
  readonly #chunks: (Uint8Array<ArrayBuffer> | Error)[];
  reads = 0;
  cancelled: unknown;

  constructor(...chunks: (string | number | Error)[]) {
    this.#chunks = chunks.map((chunk) =>
      typeof chunk === "string"
        ? new TextEncoder().encode(chunk)
        : typeof chunk === "number"
        ? new Uint8Array(chunk)
        : chunk
    );
  }

  read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.reads++;
    const chunk = this.#chunks.shift();
    return chunk instanceof Error
      ? Promise.reject(chunk)
      : Promise.resolve(chunk);
  }

  cancel(reason: unknown): void {
    this.cancelled = reason;
  }
}

function stream(source: ByteSource, headers: HeadersInit = {}): Answer {
  return { kind: "stream", status: 200, headers: new Headers(headers), source };
}

function chunkText({ words, bytes }: Command): string {
  return new TextDecoder().decode(bytes.subarray(24, 24 + words[4]!));
}

Deno.test("a stream is a head, chunks and an end", async () => {
  const { io, commands } = await commandsOf(() =>
    stream(new Chunks("one", "two"), { "x-a": "b" })
  );
  io.close();
  const [head, one, two, end] = commands;
  assertEquals(head!.kind, COMMAND_RESPOND_STREAM);
  assertEquals(head!.flags, 0);
  assertEquals(head!.words[4], 200);
  assertEquals(head!.words[5], "x-a: b\r\n".length);
  assertEquals(
    new TextDecoder().decode(head!.bytes.subarray(32, 32 + head!.words[5]!)),
    "x-a: b\r\n",
  );
  assertEquals([one!.kind, two!.kind], [COMMAND_CHUNK, COMMAND_CHUNK]);
  assertEquals([chunkText(one!), chunkText(two!)], ["one", "two"]);
  assertEquals([end!.kind, end!.flags, end!.words[4]], [
    COMMAND_CHUNK,
    RESPOND_END,
    0,
  ]);
  assertEquals(commands.length, 4);
});

Deno.test("a length that is known is said once", async () => {
  const { io, commands } = await commandsOf(() =>
    stream(new Chunks("abc"), { "Content-Length": "3", "x-a": "b" })
  );
  io.close();
  const [head] = commands;
  assertEquals(head!.flags, RESPOND_LENGTH_KNOWN);
  assertEquals([...head!.words.subarray(5, 8)], ["x-a: b\r\n".length, 3, 0]);
  assertEquals(commands.length, 3);
});

Deno.test("a length beyond 32 bits, and what is none", async () => {
  for (
    const [length, flags, words] of [
      [String(2 ** 32 + 5), RESPOND_LENGTH_KNOWN, [5, 1]],
      ["junk", 0, [0, 0]],
      ["-1", 0, [0, 0]],
      ["5, 5", 0, [0, 0]],
    ] as const
  ) {
    const { io, commands: [head] } = await commandsOf(
      () => stream(new Chunks(), { "content-length": length }),
      "HEAD",
    );
    io.close();
    assertEquals(head!.flags, flags);
    assertEquals(head!.words[5], 0);
    assertEquals([...head!.words.subarray(6, 8)], [...words]);
  }
});

/** Runs without showing what is reported; returns it. */
async function reported(run: () => Promise<void>): Promise<string[]> {
  const errors: string[] = [];
  const { error } = console;
  console.error = (value) => errors.push(String(value));
  try {
    await run();
  } finally {
    console.error = error;
  }
  return errors;
}

Deno.test("a stream that is too short is cut, one that is too long ends", async () => {
  const errors = await reported(async () => {
    const short = await commandsOf(() =>
      stream(new Chunks("ab"), { "content-length": "3" })
    );
    short.io.close();
    assertEquals(short.commands.at(-1)!.kind, COMMAND_ABORT);
    const source = new Chunks("ab", "cd", "ef");
    const long = await commandsOf(() =>
      stream(source, { "content-length": "3" })
    );
    long.io.close();
    const [, one, two, end] = long.commands;
    assertEquals([chunkText(one!), chunkText(two!)], ["ab", "c"]);
    assertEquals(end!.flags, RESPOND_END);
    assertEquals(long.commands.length, 4);
    assert(source.cancelled instanceof Error);
  });
  assertEquals(errors.map((error) => /shorter|longer/.exec(error)?.[0]), [
    "shorter",
    "longer",
  ]);
});

Deno.test("HEAD has a length and no content", async () => {
  const { io, commands } = await commandsOf(
    () => stream(new Chunks(), { "content-length": "3" }),
    "HEAD",
  );
  io.close();
  assertEquals(commands.map(({ kind }) => kind), [
    COMMAND_RESPOND_STREAM,
    COMMAND_CHUNK,
  ]);
});

Deno.test("a stream that fails cuts the connection, and is reported", async () => {
  const errors = await reported(async () => {
    const { io, commands } = await commandsOf(() =>
      stream(new Chunks("one", new Error("failed")))
    );
    io.close();
    assertEquals(commands.map(({ kind }) => kind), [
      COMMAND_RESPOND_STREAM,
      COMMAND_CHUNK,
      COMMAND_ABORT,
    ]);
  });
  assertEquals(errors, ["Error: failed"]);
});

Deno.test("large chunks are lent", async () => {
  const { io, commands } = await commandsOf(() =>
    stream(new Chunks(INLINE_CONTENT, INLINE_CONTENT + 1))
  );
  io.close();
  const [, one, two] = commands;
  assertEquals(one!.flags, 0);
  assertEquals(two!.flags, RESPOND_CONTENT_TOKEN);
  assertEquals(two!.words[4], INLINE_CONTENT + 1);
  assertEquals(io.lent.get(two!.words[5]!)!.length, INLINE_CONTENT + 1);
});

Deno.test("the producer waits for the client", async () => {
  const part = STREAM_WINDOW / 2;
  const source = new Chunks(part, part, part, part, part);
  const { io, commands } = await commandsOf(() => stream(source));
  assertEquals(commands.length, 3);
  assertEquals(source.reads, 2);
  io.event(EVENT_WRITTEN, 1);
  assertEquals((await io.turn()).length, 1);
  assertEquals(source.reads, 3);
  io.event(EVENT_WRITTEN, part);
  assertEquals((await io.turn()).length, 1);
  io.event(EVENT_WRITTEN, 3 * part);
  assertEquals((await io.turn()).length, 2);
  io.close();
  assertEquals(source.reads, 6);
  assertEquals(source.cancelled, undefined);
});

Deno.test("a stream is cancelled when its client leaves", async () => {
  for (const size of [STREAM_WINDOW, 1]) {
    const pending = Promise.withResolvers<undefined>();
    const source = new Chunks(size);
    const read = source.read.bind(source);
    source.read = () => source.reads === 0 ? read() : pending.promise;
    const { io } = await commandsOf(() => stream(source));
    io.event(EVENT_GONE);
    assertEquals(await io.turn(), []);
    assertEquals((source.cancelled as Error).name, "ClientGoneError");
    pending.resolve(undefined);
    assertEquals(await io.turn(), []);
    io.close();
  }
});

Deno.test("streams to clients that left are let go of", async () => {
  const source = new Chunks("a");
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const { io } = await commandsOf(() => promise);
  io.event(EVENT_GONE);
  await io.turn();
  resolve(stream(source));
  assertEquals(await io.turn(), []);
  io.close();
  assert(source.cancelled instanceof Error);
});

Deno.test("answers that come when all is closed are let go of", async () => {
  const source = new Chunks("a");
  let closed = 0;
  const file = { close: () => closed++ } as unknown as OpenFile;
  const headers = new Headers();
  const range = { start: 0, end: 1, headOnly: false };
  const answers: Answer[] = [
    stream(source),
    { kind: "file", status: 200, headers, file, ...range },
    new Response("a"),
  ];
  for (const isGone of [false, true]) {
    for (const answer of answers) {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      const { io } = await commandsOf(() => promise);
      if (isGone) io.event(EVENT_GONE);
      await io.turn();
      io.close();
      resolve(answer);
      assertEquals(await io.turn(), []);
    }
  }
  assert(source.cancelled instanceof Error);
  assertEquals(closed, 2);
});

Deno.test("an early answer lets go of the handler's", async () => {
  const source = new Chunks("a");
  const { io, commands } = await commandsOf((exchange) => {
    exchange.answerNow(new Response("early"));
    return stream(source);
  });
  io.close();
  assertEquals(commands.length, 1);
  assert(source.cancelled instanceof Error);
});

Deno.test("a file that the helper has open is sent by its token", async () => {
  const closed: number[] = [];
  const library = {
    functions: { jstime_file_close: (token: number) => closed.push(token) },
    release: () => {},
  };
  const info = { size: 2 ** 33, modified: 0, isFile: true };
  const file = new NativeOpenFile("/a", 77, info, library as never);
  const { io, commands } = await commandsOf(() => ({
    kind: "file",
    status: 206,
    headers: new Headers({ "x-a": "b" }),
    file,
    start: 5,
    end: 2 ** 32 + 6,
    headOnly: false,
  }));
  io.close();
  const [{ kind, words, bytes }] = commands as [Command];
  assertEquals(kind, COMMAND_RESPOND_FILE);
  assertEquals([...words.subarray(4, 12)], [206, 8, 77, 0, 5, 0, 6, 1]);
  assertEquals(new TextDecoder().decode(bytes.subarray(48, 56)), "x-a: b\r\n");
  // It is the helper's now.
  file.close();
  assertEquals(closed, []);
});

Deno.test("another file is read and streamed", async () => {
  for (const headOnly of [false, true]) {
    let closed = 0;
    const content = new TextEncoder().encode("0123456789");
    const file: OpenFile = {
      info: { size: 10, modified: 0, isFile: true },
      read(buffer, position) {
        const part = content.subarray(position, position + buffer.length);
        buffer.set(part);
        return Promise.resolve(part.length);
      },
      readSync: () => 0,
      hasChanged: () => false,
      close: () => closed++,
    };
    const { io, commands } = await commandsOf(() => ({
      kind: "file",
      status: 200,
      headers: new Headers(),
      file,
      start: 2,
      end: 5,
      headOnly,
    }), headOnly ? "HEAD" : "GET");
    io.close();
    assertEquals(commands[0]!.flags, RESPOND_LENGTH_KNOWN);
    assertEquals(commands[0]!.words[6], 3);
    assertEquals(commands.length, headOnly ? 2 : 3);
    if (!headOnly) assertEquals(chunkText(commands[1]!), "234");
    assertEquals(closed, 1);
  }
});
