import { assert, assertEquals, assertThrows } from "@std/assert";
import type { FileAnswer } from "../../src/engine/engine.ts";
import { file } from "../../src/file.ts";
import { fileBehind } from "../../src/file/file_stream.ts";
import type { JSTimeFile } from "../../src/file/jstime_file.ts";
import {
  answerFileResponse,
  answerFileRoute,
  type FileRoute,
} from "../../src/http/files/file_answer.ts";
import { parseHttpDate } from "../../src/http/files/http_date.ts";
import { OpenFiles, TemporaryDirectory } from "./file_fixture.ts";

const MODIFIED = new Date("2020-01-02T03:04:05.678Z");
const LAST_MODIFIED = "Thu, 02 Jan 2020 03:04:05 GMT";
const CONTENT = "0123456789";
const hasPipes = Deno.build.os !== "windows";

interface Fields {
  readonly [name: string]: string;
}

interface Facts {
  status: number;
  content: string;
  headers: Fields;
}

function requestOf(method: string, headers: Fields = {}): Request {
  return new Request("http://localhost/a.txt", { method, headers });
}

/** What an engine would send, and the file closed as an engine does. */
function send(answer: FileAnswer | Response | undefined): Facts | undefined {
  if (answer === undefined) return undefined;
  const headers = Object.fromEntries(answer.headers);
  const { status } = answer;
  if (answer instanceof Response) {
    assertEquals(answer.body, null);
    return { status, content: "", headers };
  }
  const bytes = new Uint8Array(answer.headOnly ? 0 : answer.end - answer.start);
  const count = answer.file.readSync(bytes, answer.start);
  assertEquals(count, bytes.length);
  answer.file.close();
  return { status, content: new TextDecoder().decode(bytes), headers };
}

function routeOf(target: JSTimeFile | Response): FileRoute {
  if (!(target instanceof Response)) return { source: target.source };
  const { status, headers, body } = target;
  return { source: fileBehind(body!)!, status, headers };
}

interface Case {
  name: string;
  method?: string;
  fields?: Fields;
  target?: (blob: JSTimeFile) => JSTimeFile | Response;
  status: number;
  content?: string;
  /** Fields that must be there; an empty value means absent. */
  headers?: Fields;
}

const PLAIN = "text/plain;charset=utf-8";

const ROUTE_CASES: Case[] = [
  {
    name: "GET sends all",
    status: 200,
    content: CONTENT,
    headers: {
      "content-type": PLAIN,
      "last-modified": LAST_MODIFIED,
      "accept-ranges": "bytes",
      "etag": "",
      "content-range": "",
      "content-length": "",
    },
  },
  { name: "HEAD sends the head", method: "HEAD", status: 200, content: "" },
  {
    name: "GET sends a range",
    fields: { range: "bytes=2-4" },
    status: 206,
    content: "234",
    headers: {
      "content-range": "bytes 2-4/10",
      "accept-ranges": "bytes",
      "last-modified": LAST_MODIFIED,
    },
  },
  {
    name: "HEAD of a range",
    method: "HEAD",
    fields: { range: "bytes=2-4" },
    status: 206,
    headers: { "content-range": "bytes 2-4/10" },
  },
  {
    name: "a suffix range",
    fields: { range: "bytes=-3" },
    status: 206,
    content: "789",
    headers: { "content-range": "bytes 7-9/10" },
  },
  {
    name: "a range beyond the end",
    fields: { range: "bytes=10-" },
    status: 416,
    headers: { "content-range": "bytes */10", "accept-ranges": "bytes" },
  },
  {
    name: "several ranges are ignored",
    fields: { range: "bytes=0-1,3-4" },
    status: 200,
    content: CONTENT,
    headers: { "content-range": "" },
  },
  {
    name: "POST ignores ranges and conditions",
    method: "POST",
    fields: {
      "range": "bytes=2-4",
      "if-none-match": "*",
      "if-match": '"x"',
      "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT",
    },
    status: 200,
    content: CONTENT,
  },
  {
    name: "not modified since",
    fields: { "if-modified-since": LAST_MODIFIED },
    status: 304,
    headers: { "last-modified": LAST_MODIFIED, "accept-ranges": "" },
  },
  {
    name: "HEAD not modified since",
    method: "HEAD",
    fields: { "if-modified-since": LAST_MODIFIED },
    status: 304,
  },
  {
    name: "modified since",
    fields: { "if-modified-since": "Thu, 02 Jan 2020 03:04:04 GMT" },
    status: 200,
    content: CONTENT,
  },
  {
    name: "a tag silences the date",
    fields: { "if-none-match": '"x"', "if-modified-since": LAST_MODIFIED },
    status: 200,
    content: CONTENT,
  },
  {
    name: "any version will do",
    fields: { "if-none-match": "*" },
    status: 304,
  },
  { name: "another version", fields: { "if-match": '"x"' }, status: 412 },
  {
    name: "whatever version",
    fields: { "if-match": "*" },
    status: 200,
    content: CONTENT,
  },
  {
    name: "a condition comes before the range",
    fields: { "if-modified-since": LAST_MODIFIED, "range": "bytes=99-" },
    status: 304,
    headers: { "content-range": "" },
  },
  {
    name: "If-Range with the same date",
    fields: { "range": "bytes=0-0", "if-range": LAST_MODIFIED },
    status: 206,
    content: "0",
  },
  {
    name: "If-Range with a later date",
    fields: {
      "range": "bytes=0-0",
      "if-range": "Thu, 02 Jan 2020 03:04:06 GMT",
    },
    status: 200,
    content: CONTENT,
  },
  {
    name: "If-Range with a tag",
    fields: { "range": "bytes=99-", "if-range": '"x"' },
    status: 200,
    content: CONTENT,
  },
  {
    name: "a response's fields are kept",
    target: (blob) =>
      new Response(blob, {
        headers: {
          "x-a": "b",
          "content-type": "x/y",
          "cache-control": "no-cache",
        },
      }),
    status: 200,
    content: CONTENT,
    headers: {
      "x-a": "b",
      "content-type": "x/y",
      "cache-control": "no-cache",
      "last-modified": LAST_MODIFIED,
    },
  },
  {
    name: "a response's fields are kept on 304",
    target: (blob) =>
      new Response(blob, { headers: { "cache-control": "no-cache" } }),
    fields: { "if-modified-since": LAST_MODIFIED },
    status: 304,
    headers: { "cache-control": "no-cache", "last-modified": LAST_MODIFIED },
  },
  {
    name: "a response's status is kept and has no ranges or conditions",
    target: (blob) => new Response(blob, { status: 201 }),
    fields: { "range": "bytes=2-4", "if-none-match": "*" },
    status: 201,
    content: CONTENT,
    headers: { "last-modified": LAST_MODIFIED, "accept-ranges": "" },
  },
  {
    name: "a response's tag counts",
    target: (blob) => new Response(blob, { headers: { etag: '"q"' } }),
    fields: { "if-none-match": '"q"' },
    status: 304,
    headers: { etag: '"q"' },
  },
  {
    name: "a response's tag counts for If-Range",
    target: (blob) => new Response(blob, { headers: { etag: '"q"' } }),
    fields: { "range": "bytes=1-1", "if-range": '"q"' },
    status: 206,
    content: "1",
  },
  {
    name: "a response's date counts",
    target: (blob) =>
      new Response(blob, {
        headers: { "last-modified": "Fri, 01 Jan 2021 00:00:00 GMT" },
      }),
    fields: { "if-modified-since": LAST_MODIFIED },
    status: 200,
    content: CONTENT,
    headers: { "last-modified": "Fri, 01 Jan 2021 00:00:00 GMT" },
  },
  {
    name: "a response's Content-Range stops ranges",
    target: (blob) =>
      new Response(blob, { headers: { "content-range": "bytes 0-9/20" } }),
    fields: { range: "bytes=2-4" },
    status: 200,
    content: CONTENT,
    headers: { "content-range": "bytes 0-9/20" },
  },
  {
    name: "a response's framing is dropped",
    target: (blob) =>
      new Response(blob, {
        headers: { "content-length": "3", "transfer-encoding": "chunked" },
      }),
    status: 200,
    content: CONTENT,
    headers: { "content-length": "", "transfer-encoding": "" },
  },
  {
    name: "a slice is content of its own",
    target: (blob) => blob.slice(2, 5),
    status: 200,
    content: "234",
    headers: { "content-range": "" },
  },
  {
    name: "a range of a slice",
    target: (blob) => blob.slice(2, 5),
    fields: { range: "bytes=1-9" },
    status: 206,
    content: "34",
    headers: { "content-range": "bytes 1-2/3" },
  },
  {
    name: "a slice beyond the end is empty",
    target: (blob) => blob.slice(20, 30),
    fields: { range: "bytes=0-" },
    status: 416,
    headers: { "content-range": "bytes */0" },
  },
];

const RESPONSE_CASES: Case[] = [
  {
    name: "GET sends all",
    status: 200,
    content: CONTENT,
    headers: {
      "content-type": PLAIN,
      "last-modified": "",
      "etag": "",
      "accept-ranges": "",
      "content-range": "",
    },
  },
  { name: "HEAD sends the head", method: "HEAD", status: 200 },
  { name: "POST sends all", method: "POST", status: 200, content: CONTENT },
  {
    name: "GET sends a range",
    fields: { range: "bytes=2-4" },
    status: 206,
    content: "234",
    headers: { "content-range": "bytes 2-4/10", "accept-ranges": "bytes" },
  },
  {
    name: "HEAD ignores ranges",
    method: "HEAD",
    fields: { range: "bytes=2-4" },
    status: 200,
    headers: { "content-range": "" },
  },
  {
    name: "POST ignores ranges",
    method: "POST",
    fields: { range: "bytes=2-4" },
    status: 200,
    content: CONTENT,
  },
  {
    name: "a range beyond the end",
    fields: { range: "bytes=10-" },
    status: 416,
    headers: { "content-range": "bytes */10" },
  },
  {
    name: "conditions are ignored",
    fields: {
      "if-none-match": "*",
      "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT",
      "if-match": '"x"',
    },
    status: 200,
    content: CONTENT,
  },
  {
    name: "If-Range without a validator",
    fields: { "range": "bytes=2-4", "if-range": LAST_MODIFIED },
    status: 200,
    content: CONTENT,
  },
  {
    name: "If-Range with the handler's tag",
    target: (blob) => new Response(blob, { headers: { etag: '"q"' } }),
    fields: { "range": "bytes=2-4", "if-range": '"q"' },
    status: 206,
    content: "234",
  },
  {
    name: "another status has no ranges",
    target: (blob) => new Response(blob, { status: 404 }),
    fields: { range: "bytes=2-4" },
    status: 404,
    content: CONTENT,
  },
  {
    name: "the handler's fields are kept",
    target: (blob) =>
      new Response(blob, {
        headers: { "x-a": "b", "content-type": "x/y", "content-length": "3" },
      }),
    fields: { range: "bytes=-1" },
    status: 206,
    content: "9",
    headers: { "x-a": "b", "content-type": "x/y", "content-length": "" },
  },
  {
    name: "the handler's Content-Range stops ranges",
    target: (blob) =>
      new Response(blob, { headers: { "content-range": "bytes 0-9/20" } }),
    fields: { range: "bytes=2-4" },
    status: 200,
    content: CONTENT,
  },
  {
    name: "a slice is partial content",
    target: (blob) => new Response(blob.slice(2, 5)),
    status: 206,
    content: "234",
    headers: { "content-range": "bytes 2-4/10" },
  },
  {
    name: "a slice of a slice names its place in the file",
    target: (blob) => new Response(blob.slice(2, 8).slice(-2)),
    status: 206,
    content: "67",
    headers: { "content-range": "bytes 6-7/10" },
  },
  {
    name: "a slice ignores Range",
    target: (blob) => new Response(blob.slice(2, 5)),
    fields: { range: "bytes=0-0" },
    status: 206,
    content: "234",
    headers: { "content-range": "bytes 2-4/10" },
  },
  {
    name: "a slice to POST and HEAD",
    method: "HEAD",
    target: (blob) => new Response(blob.slice(2, 5)),
    status: 206,
    headers: { "content-range": "bytes 2-4/10" },
  },
  {
    name: "a slice with another status",
    target: (blob) => new Response(blob.slice(2, 5), { status: 404 }),
    status: 404,
    content: "234",
    headers: { "content-range": "" },
  },
  {
    name: "a slice with 206 and the handler's Content-Range",
    target: (blob) =>
      new Response(blob.slice(2, 5), {
        status: 206,
        headers: { "content-range": "bytes 2-4/*" },
      }),
    status: 206,
    content: "234",
    headers: { "content-range": "bytes 2-4/*" },
  },
  {
    name: "a slice with 206 and no Content-Range",
    target: (blob) => new Response(blob.slice(2, 5), { status: 206 }),
    status: 206,
    content: "234",
    headers: { "content-range": "bytes 2-4/10" },
  },
  {
    name: "a slice that reaches beyond the end",
    target: (blob) => new Response(blob.slice(8, 100)),
    status: 206,
    content: "89",
    headers: { "content-range": "bytes 8-9/10" },
  },
  {
    name: "a slice of everything",
    target: (blob) => new Response(blob.slice(0, Infinity)),
    status: 200,
    content: CONTENT,
    headers: { "content-range": "" },
  },
  {
    name: "a slice of nothing",
    target: (blob) => new Response(blob.slice(20, 30)),
    status: 200,
    content: "",
    headers: { "content-range": "" },
  },
];

function check(facts: Facts | undefined, expected: Case): void {
  assertEquals(facts?.status, expected.status);
  assertEquals(facts?.content, expected.content ?? "");
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assertEquals(facts?.headers[name] ?? "", value, name);
  }
}

for (const testCase of ROUTE_CASES) {
  Deno.test(`file route: ${testCase.name}`, () => {
    using directory = new TemporaryDirectory();
    const blob = file(directory.write("a.txt", CONTENT, MODIFIED));
    const { target = (whole) => whole, method = "GET", fields } = testCase;
    const files = new OpenFiles();
    const request = requestOf(method, fields);
    const route = routeOf(target(blob));
    const before = JSON.stringify([...route.headers ?? []]);
    check(send(answerFileRoute(request, route, files.open)), testCase);
    assertEquals(files.count, 0);
    assertEquals(JSON.stringify([...route.headers ?? []]), before);
  });
}

for (const testCase of RESPONSE_CASES) {
  Deno.test(`file response: ${testCase.name}`, () => {
    using directory = new TemporaryDirectory();
    const blob = file(directory.write("a.txt", CONTENT, MODIFIED));
    const { target = (whole) => new Response(whole) } = testCase;
    const response = target(blob) as Response;
    const files = new OpenFiles();
    const request = requestOf(testCase.method ?? "GET", testCase.fields);
    const before = JSON.stringify([...response.headers]);
    const source = fileBehind(response.body!)!;
    check(
      send(answerFileResponse(request, response, source, files.open)),
      testCase,
    );
    assertEquals(files.count, 0);
    assertEquals(JSON.stringify([...response.headers]), before);
  });
}

Deno.test("file route: what cannot be sent is missing", () => {
  using directory = new TemporaryDirectory();
  const request = requestOf("GET");
  directory.write("a.txt", CONTENT);
  const names = ["none", "a.txt/b", "."];
  if (hasPipes) {
    directory.pipe("pipe");
    Deno.symlinkSync("loop", directory.at("loop"));
    names.push("pipe", "loop", "x".repeat(300));
  }
  for (const name of names) {
    const files = new OpenFiles();
    const route = routeOf(file(directory.at(name)));
    assertEquals(answerFileRoute(request, route, files.open), undefined, name);
    assertEquals(files.count, 0);
  }
});

Deno.test("file route: an error of the server is thrown", () => {
  const tooMany = Object.assign(new Error("EMFILE"), { code: "EMFILE" });
  const route = routeOf(file("a.txt"));
  assertThrows(
    () =>
      answerFileRoute(requestOf("GET"), route, () => {
        throw tooMany;
      }),
    Error,
    "EMFILE",
  );
});

Deno.test("file route: an empty file", () => {
  using directory = new TemporaryDirectory();
  const route = routeOf(file(directory.write("a.txt", "")));
  const files = new OpenFiles();
  const answer = (fields: Fields) =>
    send(answerFileRoute(requestOf("GET", fields), route, files.open));
  assertEquals(answer({})?.status, 200);
  assertEquals(answer({ range: "bytes=-5" })?.status, 200);
  assertEquals(answer({ range: "bytes=0-" })?.status, 416);
  assertEquals(
    answer({ range: "bytes=0-" })?.headers["content-range"],
    "bytes */0",
  );
  assertEquals(files.count, 0);
});

Deno.test("file route: Last-Modified is not in the future", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", CONTENT, new Date("2099-01-01"));
  const files = new OpenFiles();
  const route = routeOf(file(path));
  const facts = send(answerFileRoute(requestOf("GET"), route, files.open));
  assert(parseHttpDate(facts!.headers["last-modified"]!)! <= Date.now());
});

Deno.test("file route: the file is looked at for each request", () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("a.txt");
  const route = routeOf(file(path));
  const files = new OpenFiles();
  const answer = () =>
    send(answerFileRoute(requestOf("GET"), route, files.open));
  assertEquals(answer(), undefined);
  directory.write("a.txt", "one");
  assertEquals(answer()?.content, "one");
  directory.write("a.txt", "three");
  assertEquals(answer()?.content, "three");
});

Deno.test("file response: what cannot be sent is an error with a code", () => {
  using directory = new TemporaryDirectory();
  const cases: [name: string, code: string][] = [
    ["none", "ENOENT"],
    [".", "EISDIR"],
  ];
  if (hasPipes) {
    directory.pipe("pipe");
    cases.push(["pipe", "EINVAL"]);
  }
  for (const [name, code] of cases) {
    for (const method of ["GET", "HEAD", "POST"]) {
      const response = new Response(file(directory.at(name)));
      const files = new OpenFiles();
      const source = fileBehind(response.body!)!;
      const error = assertThrows(() =>
        answerFileResponse(requestOf(method), response, source, files.open)
      );
      assertEquals((error as Error & { code: string }).code, code);
      assertEquals(
        (error as Error & { path: string }).path,
        directory.at(name),
      );
      assertEquals(files.count, 0);
    }
  }
});

Deno.test("an open file tells whether it has changed", () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", CONTENT, MODIFIED);
  const files = new OpenFiles();
  const opened = files.open(path);
  assertEquals(opened.hasChanged(), false);
  // Another file in its place does not change the open one.
  Deno.renameSync(directory.write("b.txt", "other"), path);
  assertEquals(opened.hasChanged(), false);
  opened.close();

  const changed = files.open(path);
  directory.write("a.txt", "longer than before");
  assertEquals(changed.hasChanged(), true);
  changed.close();

  const touched = files.open(path);
  Deno.utimeSync(path, MODIFIED, MODIFIED);
  assertEquals(touched.hasChanged(), true);
  touched.close();
  assertThrows(() => touched.hasChanged(), Error, "EBADF");
  assertThrows(() => touched.readSync(new Uint8Array(1), 0), Error, "EBADF");
  assertEquals(files.count, 0);
});
