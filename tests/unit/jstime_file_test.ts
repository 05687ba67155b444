import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { file } from "../../src/file.ts";
import { fileBehind } from "../../src/file/file_stream.ts";
import { JSTimeFile } from "../../src/file/jstime_file.ts";
import { descriptorsOf, TemporaryDirectory } from "./file_fixture.ts";

const MODIFIED = new Date("2020-01-02T03:04:05.678Z");
const isLinux = Deno.build.os === "linux";
const hasPipes = Deno.build.os !== "windows";

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return codeOf(await assertRejects(() => promise));
}

/** A file whose bytes tell their position, longer than several chunks. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length },
    (_, index) => (index * 31 + index / 256) % 256,
  );
}

Deno.test("file() is a Blob by every check", () => {
  const blob = file("a.txt");
  assertInstanceOf(blob, Blob);
  assertInstanceOf(blob, JSTimeFile);
  assertEquals(blob.constructor.name, "Blob");
  assertEquals(Object.prototype.toString.call(blob), "[object Blob]");
  assertEquals(Object.keys(blob), []);
});

Deno.test("file() knows name, size, type and time", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "hello world", MODIFIED);
  const blob = file(path);
  assertEquals(blob.name, path);
  assertEquals(blob.size, 11);
  assertEquals(blob.type, "text/plain;charset=utf-8");
  assertEquals(blob.lastModified, MODIFIED.getTime());
  Deno.writeTextFileSync(path, "longer than before");
  assertEquals(blob.size, 18);
});

Deno.test("file() takes a file URL", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a b#.txt", "x");
  const url = new URL(`file://${directory.path}/a%20b%23.txt`);
  assertEquals(file(url).name, path);
  assertEquals(await file(url).text(), "x");
});

Deno.test("file() refuses what is no path", () => {
  const refused: unknown[] = [0, -1, undefined, null, {}, [], true];
  for (const value of refused) {
    assertThrows(() => file(value as string), TypeError, "as a file");
  }
  assertThrows(() => file(7 as unknown as string), TypeError, "descriptor 7");
  assertThrows(() => file("a\0b"), TypeError, "NUL");
  assertThrows(() => file(new URL("http://localhost/a.txt")), TypeError);
});

Deno.test("file() takes a type and normalizes it", () => {
  assertEquals(
    file("a.txt", { type: "X/Y; Charset=A" }).type,
    "x/y; charset=a",
  );
  for (const type of ["", undefined, "n\u00e9", "a\nb"]) {
    assertEquals(file("a.txt", { type }).type, "text/plain;charset=utf-8");
  }
});

Deno.test("a missing file is empty until it is read", async () => {
  using directory = new TemporaryDirectory();
  const missing = file(directory.at("missing.txt"));
  assertEquals(missing.size, 0);
  assertEquals(missing.lastModified, 0);
  assertEquals(await missing.exists(), false);
  assertEquals(await rejection(missing.text()), "ENOENT");
  assertEquals(await rejection(missing.json()), "ENOENT");
  assertEquals(await rejection(missing.bytes()), "ENOENT");
  assertEquals(await rejection(missing.arrayBuffer()), "ENOENT");
  assertEquals(await rejection(missing.formData()), "ENOENT");
  assertEquals(await rejection(missing.stat()), "ENOENT");
  assertEquals(await rejection(missing.unlink()), "ENOENT");
  assertEquals(await rejection(missing.delete()), "ENOENT");
  assertEquals(await rejection(missing.stream().getReader().read()), "ENOENT");
});

Deno.test("errors name the path and the system call", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("missing.txt");
  const error = await assertRejects(() => file(path).text(), Error, "ENOENT");
  assertEquals(
    { ...error as Error & { path: string } }.path,
    path,
  );
  assertEquals((error as Error & { syscall: string }).syscall, "open");
});

Deno.test("a directory is no file", async () => {
  using directory = new TemporaryDirectory();
  const blob = file(directory.path);
  assertEquals(blob.size, 0);
  assertEquals(await blob.exists(), false);
  assertEquals((await blob.stat()).isDirectory(), true);
  assertEquals(await rejection(blob.text()), "EISDIR");
  assertEquals(await rejection(blob.stream().getReader().read()), "EISDIR");
  assertEquals(await rejection(blob.write("x")), "EISDIR");
  assertEquals(codeOf(assertThrows(() => blob.writer())), "EISDIR");
});

Deno.test({
  name: "a pipe is refused and blocks nothing",
  ignore: !hasPipes,
  async fn() {
    using directory = new TemporaryDirectory();
    const pipe = file(directory.pipe("pipe"));
    assertEquals(pipe.size, 0);
    assertEquals(await pipe.exists(), false);
    assertEquals(await rejection(pipe.text()), "EINVAL");
    assertEquals(await rejection(pipe.stream().getReader().read()), "EINVAL");
    await assertRejects(() => pipe.write("x"));
    assertThrows(() => pipe.writer());
  },
});

Deno.test("a file can be read in every form", async () => {
  using directory = new TemporaryDirectory();
  const blob = file(directory.write("a.json", '{"a": "h\u00e9"}'));
  const bytes = new TextEncoder().encode('{"a": "h\u00e9"}');
  assertEquals(await blob.exists(), true);
  assertEquals((await blob.stat()).isFile(), true);
  assertEquals(await blob.text(), '{"a": "h\u00e9"}');
  assertEquals(await blob.json(), { a: "h\u00e9" });
  assertEquals(await blob.bytes(), bytes);
  assertEquals(new Uint8Array(await blob.arrayBuffer()), bytes);
  assertEquals((await blob.arrayBuffer()).byteLength, bytes.length);
  assertEquals(
    (await Array.fromAsync(blob.textStream())).join(""),
    await blob.text(),
  );
});

Deno.test("text() replaces what is not UTF-8, json() refuses what is not JSON", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a", new Uint8Array([0x61, 0xff, 0x62]));
  assertEquals(await file(path).text(), "a\ufffdb");
  await assertRejects(() => file(path).json(), SyntaxError);
});

Deno.test("formData() follows the type", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("form", "a=1&b=%20");
  const form = await file(path, { type: "application/x-www-form-urlencoded" })
    .formData();
  assertEquals([...form], [["a", "1"], ["b", " "]]);
  await assertRejects(() => file(path).formData(), TypeError);
});

for (const length of [0, 1, 65536, 65537, 700_001]) {
  Deno.test(`all ${length} bytes arrive in every form`, async () => {
    using directory = new TemporaryDirectory();
    const content = pattern(length);
    const blob = file(directory.write("a.bin", content));
    assert(equalBytes(await blob.bytes(), content));
    assert(equalBytes(await collect(blob.stream()), content));
    assert(equalBytes(await new Response(blob).bytes(), content));
    assert(
      equalBytes(await new Blob([blob, "!"]).slice(0, length).bytes(), content),
    );
    if (isLinux) assertEquals(descriptorsOf(blob.name), 0);
  });
}

async function collect(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(stream);
  assert(chunks.every((chunk) => chunk.length > 0 && chunk.length <= 262_144));
  return await new Blob(chunks as BlobPart[]).bytes();
}

/** `assertEquals` on large arrays is slow. */
function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

// Slices

const SLICES: [
  name: string,
  slice: (blob: JSTimeFile) => JSTimeFile,
  content: string,
][] = [
  ["all", (blob) => blob.slice(), "0123456789"],
  ["from 3", (blob) => blob.slice(3), "3456789"],
  ["2 to 5", (blob) => blob.slice(2, 5), "234"],
  ["up to the end", (blob) => blob.slice(7, 10), "789"],
  ["beyond the end", (blob) => blob.slice(7, 100), "789"],
  ["all beyond the end", (blob) => blob.slice(20, 30), ""],
  ["to infinity", (blob) => blob.slice(8, Infinity), "89"],
  ["from infinity", (blob) => blob.slice(Infinity), ""],
  ["reversed", (blob) => blob.slice(5, 2), ""],
  ["empty", (blob) => blob.slice(4, 4), ""],
  ["not numbers", (blob) => blob.slice(NaN, 3.7), "012"],
  ["end undefined", (blob) => blob.slice(8, undefined), "89"],
  ["last 3", (blob) => blob.slice(-3), "789"],
  ["last 3 but 1", (blob) => blob.slice(-3, -1), "78"],
  ["more than all from the end", (blob) => blob.slice(-100, 2), "01"],
  ["end before the beginning", (blob) => blob.slice(0, -100), ""],
  ["minus infinity", (blob) => blob.slice(-Infinity, -9), "0"],
  ["of a slice", (blob) => blob.slice(2, 8).slice(1, 3), "34"],
  ["beyond its slice", (blob) => blob.slice(2, 5).slice(1, 100), "34"],
  ["after its slice", (blob) => blob.slice(2, 5).slice(7, 9), ""],
  ["end of a slice", (blob) => blob.slice(2, 8).slice(-2), "67"],
  ["end of an open slice", (blob) => blob.slice(2).slice(-2), "89"],
  ["end of a slice beyond", (blob) => blob.slice(6, 100).slice(-3, -1), "78"],
  ["of slices", (blob) => blob.slice(1).slice(1).slice(1).slice(0, 1), "3"],
];

for (const [name, slice, content] of SLICES) {
  Deno.test(`slice: ${name}`, async () => {
    using directory = new TemporaryDirectory();
    const whole = file(directory.write("a.txt", "0123456789"));
    const part = slice(whole);
    assertEquals(await part.text(), content);
    assertEquals(part.size, content.length);
    assertEquals(await new Response(part.stream()).text(), content);
    assertEquals(await new Blob([part]).text(), content);
    assertEquals(part.name, whole.name);
    assertInstanceOf(part, JSTimeFile);
  });
}

Deno.test("slices agree with those of a Blob in memory", async () => {
  using directory = new TemporaryDirectory();
  const onDisk = file(directory.write("a.txt", "01234"));
  const inMemory = new Blob(["01234"]);
  const indices = [undefined, -6, -5, -2, 0, 1, 3, 5, 6];
  for (const begin of indices) {
    for (const end of indices) {
      assertEquals(
        await onDisk.slice(begin, end).text(),
        await inMemory.slice(begin, end).text(),
        `slice(${begin}, ${end})`,
      );
      assertEquals(
        await onDisk.slice(1, 4).slice(begin, end).text(),
        await inMemory.slice(1, 4).slice(begin, end).text(),
        `slice(1, 4).slice(${begin}, ${end})`,
      );
    }
  }
});

Deno.test("a slice keeps the type unless it is given another", () => {
  const blob = file("a.txt");
  assertEquals(blob.slice(1).type, "text/plain;charset=utf-8");
  assertEquals(blob.slice(1, 2, "A/b").type, "a/b");
  assertEquals(blob.slice(1, "a/b").type, "a/b");
  assertEquals(blob.slice("a/b").type, "a/b");
  assertEquals(blob.slice(1, "a/b").source.start, 1);
});

Deno.test("a slice does not touch the disk", () => {
  const part = file("missing.txt").slice(3, 9).slice(1);
  assertEquals({ ...part.source }, {
    path: "missing.txt",
    start: 4,
    end: 9,
    isSlice: true,
    type: "text/plain;charset=utf-8",
  });
  assertEquals(part.size, 0);
});

Deno.test("a slice cannot be written or deleted", async () => {
  using directory = new TemporaryDirectory();
  const part = file(directory.write("a.txt", "0123456789")).slice(0, 2);
  await assertRejects(() => part.write("x"), TypeError, "slice");
  await assertRejects(() => part.unlink(), TypeError, "slice");
  await assertRejects(() => part.delete(), TypeError, "slice");
  assertThrows(() => part.writer(), TypeError, "slice");
  assertEquals(directory.read("a.txt"), "0123456789");
});

// Streams

Deno.test("a stream tells its file until it is used", async () => {
  using directory = new TemporaryDirectory();
  const blob = file(directory.write("a.txt", "0123456789"));
  assertEquals(fileBehind(blob.stream()), blob.source);
  assertEquals(fileBehind(blob.slice(2, 4).stream())?.isSlice, true);
  assertEquals(fileBehind(new Response(blob).body!), blob.source);
  assertEquals(fileBehind(new ReadableStream()), undefined);
  assertEquals(fileBehind(new Blob(["x"]).stream()), undefined);

  const locked = blob.stream();
  const reader = locked.getReader();
  assertEquals(fileBehind(locked), undefined);
  reader.releaseLock();
  assertEquals(fileBehind(locked), blob.source);

  const read = blob.stream();
  const half = read.getReader();
  await half.read();
  half.releaseLock();
  assertEquals(fileBehind(read), undefined);

  const cancelled = blob.stream();
  await cancelled.cancel();
  assertEquals(fileBehind(cancelled), undefined);

  const response = new Response(blob);
  const copy = response.clone();
  assertEquals(fileBehind(response.body!), undefined);
  assertEquals(await copy.text(), "0123456789");
  assertEquals(await response.text(), "0123456789");
});

Deno.test({
  name: "a stream opens nothing before it is read and closes on every path",
  ignore: !isLinux,
  async fn() {
    using directory = new TemporaryDirectory();
    const path = directory.write("a.bin", pattern(700_000));
    const stream = file(path).stream();
    const response = new Response(file(path));
    assertEquals(descriptorsOf(path), 0);

    const reader = stream.getReader();
    await reader.read();
    assertEquals(descriptorsOf(path), 1);
    await reader.cancel();
    assertEquals(descriptorsOf(path), 0);

    for await (const _chunk of response.body!) break;
    assertEquals(descriptorsOf(path), 0);

    const cut = file(path).stream().getReader();
    await cut.read();
    Deno.truncateSync(path, 10);
    await assertRejects(() => drain(cut), Error, "became shorter");
    assertEquals(descriptorsOf(path), 0);
  },
});

async function drain(reader: ReadableStreamDefaultReader): Promise<void> {
  while (!(await reader.read()).done);
}

Deno.test({
  name: "cancelling while a read is under way closes the file after it",
  ignore: !isLinux,
  async fn() {
    using directory = new TemporaryDirectory();
    const path = directory.write("a.bin", pattern(700_000));
    const reader = file(path).stream().getReader();
    const pending = reader.read();
    await reader.cancel();
    await pending;
    while (descriptorsOf(path) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
});

Deno.test("a stream does not grow with its file", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.bin", pattern(300_000));
  const reader = file(path).stream().getReader();
  let length = (await reader.read()).value!.length;
  Deno.writeFileSync(path, pattern(1000), { append: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
  }
  assertEquals(length, 300_000);
});

Deno.test({
  name: "files that claim to be empty are read to their end",
  ignore: !isLinux,
  async fn() {
    const text = await file("/proc/self/status").text();
    assert(text.includes("Pid:"));
    const streamed = await new Response(file("/proc/self/status").stream())
      .text();
    assert(streamed.includes("Pid:"));
    assertEquals(await file("/proc/self/status").slice(0, 5).text(), "Name:");
  },
});

Deno.test("a file works where a Blob does", async () => {
  using directory = new TemporaryDirectory();
  const blob = file(directory.write("a.txt", "hello"));
  const request = new Request("http://localhost/", {
    method: "POST",
    body: blob,
  });
  assertEquals(request.headers.get("content-type"), "text/plain;charset=utf-8");
  assertEquals(await request.text(), "hello");
  assertEquals(await new File(["<", blob, ">"], "b").text(), "<hello>");

  const form = new FormData();
  form.append("upload", blob, "name.txt");
  const upload = (await new Response(form).formData()).get("upload");
  assertInstanceOf(upload, File);
  assertEquals(upload.name, "name.txt");
  assertEquals(await upload.text(), "hello");
});

// Writing

Deno.test("write() takes everything that holds bytes", async () => {
  using directory = new TemporaryDirectory();
  const target = file(directory.at("deep/er/a.txt"));
  const bytes = new TextEncoder().encode("-bytes-");
  const shared = new SharedArrayBuffer(3);
  new Uint8Array(shared).set([0x61, 0x62, 0x63]);
  const source = file(directory.write("source.txt", "from a file"));
  const contents: [Parameters<JSTimeFile["write"]>[0], string][] = [
    ["h\u00e9llo", "h\u00e9llo"],
    ["", ""],
    [bytes, "-bytes-"],
    [bytes.subarray(1, 6), "bytes"],
    [bytes.buffer, "-bytes-"],
    [new DataView(bytes.buffer, 1, 2), "by"],
    [shared, "abc"],
    [new Uint8Array(shared, 1), "bc"],
    [new Blob(["a ", "blob"]), "a blob"],
    [new Response("a response"), "a response"],
    [new Response(null), ""],
    [new Response(source), "from a file"],
    [
      new Request("http://localhost/", { method: "PUT", body: "a request" }),
      "a request",
    ],
    [new Request("http://localhost/"), ""],
    [source, "from a file"],
    [source.slice(5, 6), "a"],
    [ReadableStream.from(["text", bytes]), "text-bytes-"],
  ];
  for (const [content, expected] of contents) {
    const count = await target.write(content);
    assertEquals(await target.text(), expected);
    assertEquals(count, new TextEncoder().encode(expected).length);
  }
});

Deno.test("write() shortens a longer file", async () => {
  using directory = new TemporaryDirectory();
  const target = file(directory.write("a.txt", "a long content"));
  await target.write("short");
  assertEquals(await target.text(), "short");
  await target.write("");
  assertEquals(await target.exists(), true);
  assertEquals(target.size, 0);
});

Deno.test("write() copies a file onto itself without loss", async () => {
  using directory = new TemporaryDirectory();
  const content = pattern(700_000);
  const blob = file(directory.write("a.bin", content));
  assertEquals(await blob.write(blob), content.length);
  assert(equalBytes(await blob.bytes(), content));
  await blob.write(blob.slice(300_000));
  assert(equalBytes(await blob.bytes(), content.subarray(300_000)));
});

Deno.test("write() leaves the file alone when the source cannot be read", async () => {
  using directory = new TemporaryDirectory();
  const target = file(directory.write("a.txt", "content"));
  const used = new Response("used");
  await used.text();
  const broken = new ReadableStream({
    start: (controller) => controller.error(new RangeError("broken")),
  });
  const locked = new ReadableStream();
  locked.getReader();
  assertEquals(
    await rejection(target.write(file(directory.at("none")))),
    "ENOENT",
  );
  await assertRejects(() => target.write(used), TypeError, "already used");
  await assertRejects(() => target.write(broken), RangeError, "broken");
  await assertRejects(() => target.write(locked), TypeError);
  const refused: unknown[] = [5, null, undefined, {}, true];
  for (const value of refused) {
    await assertRejects(
      () => target.write(value as string),
      TypeError,
      "expected",
    );
  }
  assertEquals(await target.text(), "content");
});

Deno.test("write() keeps what a failing stream delivered, and cancels a bad one", async () => {
  using directory = new TemporaryDirectory();
  const target = file(directory.write("a.txt", "a longer content"));
  async function* pieces() {
    yield "part";
    await Promise.resolve();
    throw new RangeError("broken");
  }
  await assertRejects(
    () => target.write(ReadableStream.from(pieces())),
    RangeError,
  );
  assertEquals(await target.text(), "part");

  let cancelled = false;
  const numbers = new ReadableStream({
    pull: (controller) => controller.enqueue(5),
    cancel: () => {
      cancelled = true;
    },
  });
  await assertRejects(
    () => target.write(numbers),
    TypeError,
    "strings or bytes",
  );
  assertEquals(cancelled, true);
});

Deno.test("write() creates directories unless told not to", async () => {
  using directory = new TemporaryDirectory();
  const target = file(directory.at("x/a.txt"));
  assertEquals(
    await rejection(target.write("x", { createPath: false })),
    "ENOENT",
  );
  await target.write("x");
  assertEquals(directory.read("x/a.txt"), "x");
  const below = file(directory.at("x/a.txt/b"));
  assertEquals(await rejection(below.write("x")), "ENOTDIR");
  assertEquals(await rejection(file("").write("x")), "ENOENT");
});

Deno.test("writer() collects, flushes and ends", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "an old and longer content");
  const sink = file(path).writer();
  assertEquals(directory.read("a.txt"), "");
  assertEquals(sink.write("h\u00e9"), 3);
  assertEquals(sink.write(new TextEncoder().encode("llo")), 3);
  assertEquals(sink.write(new Uint8Array([0x21]).buffer), 1);
  assertEquals(directory.read("a.txt"), "");
  assertEquals(sink.flush(), 7);
  assertEquals(directory.read("a.txt"), "h\u00e9llo!");
  assertEquals(sink.flush(), 0);
  sink.write("?");
  assertEquals(sink.end(), 1);
  assertEquals(directory.read("a.txt"), "h\u00e9llo!?");
  assertEquals(sink.end(), 0);
  assertThrows(() => sink.write("x"), TypeError, "ended");
  if (isLinux) assertEquals(descriptorsOf(path), 0);
});

Deno.test("writer() writes when the high-water mark is reached", () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("a.txt");
  const sink = file(path).writer({ highWaterMark: 4 });
  sink.write("abc");
  assertEquals(directory.read("a.txt"), "");
  sink.write("de");
  assertEquals(directory.read("a.txt"), "abcde");
  sink.start({ highWaterMark: 0 });
  sink.write("f");
  assertEquals(directory.read("a.txt"), "abcdef");
  sink.ref();
  sink.unref();
  sink.end(new Error("the reason"));
  assertEquals(directory.read("a.txt"), "abcdef");
  for (const highWaterMark of [-1, 1.5, NaN]) {
    assertThrows(() => file(path).writer({ highWaterMark }), RangeError);
  }
  assertEquals(directory.read("a.txt"), "abcdef");
});

Deno.test("writer() keeps its own copy of what was written", () => {
  using directory = new TemporaryDirectory();
  const sink = file(directory.at("a.txt")).writer();
  const buffer = new TextEncoder().encode("one");
  sink.write(buffer);
  buffer.fill(0x78);
  sink.end();
  assertEquals(directory.read("a.txt"), "one");
});

Deno.test("writer() refuses what holds no bytes", () => {
  using directory = new TemporaryDirectory();
  const sink = file(directory.at("a.txt")).writer();
  const refused: unknown[] = [5, null, undefined, {}, new Blob()];
  for (const value of refused) {
    assertThrows(() => sink.write(value as string), TypeError, "expected");
  }
  sink.end();
  const missing = file(directory.at("none/a.txt"));
  assertEquals(codeOf(assertThrows(() => missing.writer())), "ENOENT");
});

Deno.test("unlink() and delete() remove the file", async () => {
  using directory = new TemporaryDirectory();
  const blob = file(directory.write("a.txt", "x"));
  assertStrictEquals(await blob.unlink(), undefined);
  assertEquals(await blob.exists(), false);
  await blob.write("y");
  assertStrictEquals(await blob.delete(), undefined);
  assertEquals(await blob.exists(), false);
});
