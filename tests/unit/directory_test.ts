import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { OpenFile } from "../../src/engine/engine.ts";
import {
  answerDirectory,
  type DirectoryPlan,
  resolveDirectoryRoute,
} from "../../src/http/files/directory.ts";
import { decodeDirectoryPath } from "../../src/http/files/directory_path.ts";
import { OpenFiles, TemporaryDirectory } from "./file_fixture.ts";

const MODIFIED = new Date("2020-01-02T03:04:05.678Z");
const LAST_MODIFIED = "Thu, 02 Jan 2020 03:04:05 GMT";
const isPosix = Deno.build.os !== "windows";

/** A directory to serve, and beside it a secret. */
class Site extends TemporaryDirectory {
  readonly plan: DirectoryPlan;
  readonly files: OpenFiles = new OpenFiles();

  constructor() {
    super();
    this.write("secret.txt", "secret");
    this.write("public-not/secret.txt", "secret");
    this.write("public/a.txt", "0123456789", MODIFIED);
    this.write("public/.dot", "dot");
    this.write("public/empty.txt", "");
    this.write("public/a b/c d.txt", "spaces");
    this.write("public/\u00e9.txt", "accent");
    this.write("public/100%.txt", "percent");
    this.write("public/a+b~c,d;e=f@g!h$i&j'k(l)m.txt", "signs");
    this.write("public/sub/index.html", "<h1>sub</h1>");
    this.write("public/bare/a.txt", "bare");
    this.write("public/evil.com/index.html", "evil");
    this.write("public/tricky/index.html/a.txt", "tricky");
    if (isPosix) {
      this.write("public/a:b.txt", "colon");
      this.write("public/a\\b.txt", "backslash");
      this.write("public/q?x#y.txt", "query");
      this.pipe("public/pipe");
      const links = {
        "inside": "a.txt",
        "inside-dir": "sub",
        "outside": "../secret.txt",
        "outside-dir": "..",
        "sibling": "../public-not",
        "absolute": this.at("secret.txt"),
        "absolute-inside": this.at("public/a.txt"),
        "dangling": "nowhere",
        "loop": "loop",
      };
      for (const [name, target] of Object.entries(links)) {
        Deno.symlinkSync(target, this.at(`public/${name}`));
      }
    }
    this.plan = resolveDirectoryRoute("/s/*", { dir: this.at("public") });
  }

  /** Status and content; for a redirect its Location. */
  get(
    rest: string,
    {
      method = "GET",
      query = "",
      prefix = "/s/",
      fields = {} as Record<string, string>,
    } = {},
  ): { status: number; content: string; headers: Headers } {
    const request = requestOf(prefix + rest + query, method, fields);
    const answer = answerDirectory(request, rest, this.plan, this.files.open);
    const { status, headers } = answer;
    if (answer instanceof Response) {
      assertEquals(answer.body, null);
      return { status, headers, content: headers.get("location") ?? "" };
    }
    const length = answer.headOnly ? 0 : answer.end - answer.start;
    const bytes = new Uint8Array(length);
    answer.file.readSync(bytes, answer.start);
    answer.file.close();
    return { status, headers, content: new TextDecoder().decode(bytes) };
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    assertEquals(this.files.count, 0);
  }
}

/** Engines give the URL as the client wrote it; `new Request` would not. */
function requestOf(
  target: string,
  method: string,
  fields: Record<string, string>,
): Request {
  const request = new Request("http://localhost/", { method, headers: fields });
  Object.defineProperty(request, "url", { value: `http://localhost${target}` });
  return request;
}

const FOUND: [rest: string, content: string][] = [
  ["a.txt", "0123456789"],
  [".dot", "dot"],
  ["empty.txt", ""],
  ["a%20b/c%20d.txt", "spaces"],
  ["%C3%A9.txt", "accent"],
  ["%c3%a9.txt", "accent"],
  ["\u00e9.txt", "accent"],
  ["100%25.txt", "percent"],
  ["a+b~c,d;e=f@g!h$i&j'k(l)m.txt", "signs"],
  ["sub/", "<h1>sub</h1>"],
  ["sub/index.html", "<h1>sub</h1>"],
];

const FOUND_ON_POSIX: [rest: string, content: string][] = [
  ["a:b.txt", "colon"],
  ["q%3Fx%23y.txt", "query"],
  ["inside", "0123456789"],
  ["inside-dir/", "<h1>sub</h1>"],
  ["absolute-inside", "0123456789"],
];

for (const [rest, content] of [...FOUND, ...isPosix ? FOUND_ON_POSIX : []]) {
  Deno.test(`directory: ${JSON.stringify(rest)} is found`, () => {
    using site = new Site();
    const found = site.get(rest);
    assertEquals([found.status, found.content], [200, content]);
  });
}

const MISSING: string[] = [
  "",
  "none",
  "none/",
  "a.txt/",
  "a.txt/b",
  "bare/",
  "sub/index.html/",
  "tricky/",
  "A.TXT/x",
  // Dot segments in every spelling
  ".",
  "..",
  "./",
  "../",
  "./a.txt",
  "sub/./index.html",
  "sub/../a.txt",
  "../secret.txt",
  "../public/a.txt",
  "sub/../../secret.txt",
  "%2e%2e/secret.txt",
  "%2E%2E/secret.txt",
  ".%2e/secret.txt",
  "%2e./secret.txt",
  "..%2fsecret.txt",
  "..%2Fsecret.txt",
  "%2e%2e%2fsecret.txt",
  "..%5csecret.txt",
  "..\\secret.txt",
  "sub\\index.html",
  "sub%5Cindex.html",
  "sub%2Findex.html",
  "sub%2f",
  "%2e/a.txt",
  "..;/secret.txt",
  "..%00/secret.txt",
  "%2e%2e%00/secret.txt",
  // Encoded twice
  "%252e%252e/secret.txt",
  "%252e%252e%252fsecret.txt",
  "..%252fsecret.txt",
  "..%255csecret.txt",
  // Overlong and malformed UTF-8, surrogates, fullwidth characters
  "%c0%ae%c0%ae/secret.txt",
  "%c0%ae%c0%ae%c0%afsecret.txt",
  "%e0%80%ae%e0%80%ae/secret.txt",
  "%f0%80%80%ae/secret.txt",
  "..%c0%afsecret.txt",
  "..%c1%9csecret.txt",
  "a%ff.txt",
  "%e9.txt",
  "%ed%a0%80.txt",
  "%uff0e%uff0e/secret.txt",
  "\uff0e\uff0e/secret.txt",
  "%ef%bc%8e%ef%bc%8e/secret.txt",
  "\ud800.txt",
  // Malformed escapes
  "100%.txt",
  "%",
  "%4",
  "%zz",
  "%-1",
  "% 1",
  "a.txt%",
  // Empty segments and absolute paths
  "/",
  "//",
  "/a.txt",
  "//a.txt",
  "sub//index.html",
  "sub//",
  "/etc/passwd",
  "%2Fetc%2Fpasswd",
  "file:///etc/passwd",
  "C:/Windows/win.ini",
  "C%3A%5CWindows%5Cwin.ini",
  // Characters that stand for themselves, encoded
  "%61.txt",
  "a%2etxt",
  "a%2Etxt",
  "%2edot",
  "a%2Bb~c,d;e=f@g!h$i&j'k(l)m.txt",
  "a%3Ab.txt",
  "%7E",
  "%73ub/",
  // NUL, controls, spaces, fragments
  "a.txt%00",
  "a.txt%00.html",
  "a.txt\0",
  "a b/c d.txt",
  "a.txt#",
  "q%3Fx#y.txt",
  "a\n.txt",
  "a.txt%0d%0aset-cookie:x=1",
  // Names that objects have
  "__proto__",
  "constructor",
  // Too long for a name or a path
  "x".repeat(300),
  "x/".repeat(3000),
];

const MISSING_ON_POSIX: string[] = [
  "a\\b.txt",
  "a%5Cb.txt",
  "pipe",
  "pipe/",
  "outside",
  "outside-dir",
  "outside-dir/",
  "outside-dir/secret.txt",
  "outside-dir/public/a.txt/../a.txt",
  "sibling",
  "sibling/",
  "sibling/secret.txt",
  "absolute",
  "dangling",
  "loop",
  "loop/",
  "loop/a.txt",
];

for (const rest of [...MISSING, ...isPosix ? MISSING_ON_POSIX : []]) {
  const shown = JSON.stringify(
    rest.length > 60 ? `${rest.slice(0, 60)}...` : rest,
  );
  Deno.test(`directory: ${shown} is missing`, () => {
    using site = new Site();
    for (const method of ["GET", "HEAD", "POST"]) {
      const found = site.get(rest, { method });
      assertEquals([found.status, found.content], [404, ""]);
    }
  });
}

Deno.test({
  name: "directory: a link inside that leads back inside is served",
  ignore: !isPosix,
  fn() {
    using site = new Site();
    const found = site.get("outside-dir/public/a.txt");
    assertEquals([found.status, found.content], [200, "0123456789"]);
  },
});

Deno.test("directory: answers describe the file", () => {
  using site = new Site();
  const { headers } = site.get("a.txt");
  assertEquals(headers.get("content-type"), "text/plain;charset=utf-8");
  assertEquals(headers.get("last-modified"), LAST_MODIFIED);
  assertEquals(headers.get("accept-ranges"), "bytes");
  assertMatch(headers.get("etag")!, /^W\/"a-[0-9a-f]+"$/);
  const index = site.get("sub/").headers;
  assertEquals(index.get("content-type"), "text/html;charset=utf-8");
});

Deno.test("directory: the tag follows length and time", () => {
  using site = new Site();
  const tag = () => site.get("a.txt").headers.get("etag")!;
  const first = tag();
  assertEquals(tag(), first);
  site.write("public/a.txt", "9876543210", new Date(MODIFIED.getTime() + 1));
  const second = tag();
  site.write("public/a.txt", "987654321", MODIFIED);
  assertEquals(new Set([first, second, tag()]).size, 3);
});

Deno.test("directory: conditions and ranges", () => {
  using site = new Site();
  const etag = site.get("a.txt").headers.get("etag")!;
  const cases: [
    fields: Record<string, string>,
    status: number,
    content: string,
  ][] = [
    [{ "if-none-match": etag }, 304, ""],
    [{ "if-none-match": etag.slice(2) }, 304, ""],
    [{ "if-none-match": `"x", ${etag}` }, 304, ""],
    [{ "if-none-match": "*" }, 304, ""],
    [{ "if-none-match": '"x"' }, 200, "0123456789"],
    [
      { "if-none-match": '"x"', "if-modified-since": LAST_MODIFIED },
      200,
      "0123456789",
    ],
    [{ "if-modified-since": LAST_MODIFIED }, 304, ""],
    [{ "if-match": etag }, 412, ""],
    [{ "if-match": "*" }, 200, "0123456789"],
    [{ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }, 412, ""],
    [{ "range": "bytes=2-4" }, 206, "234"],
    [{ "range": "bytes=20-" }, 416, ""],
    [{ "range": "bytes=2-4", "if-range": etag }, 200, "0123456789"],
    [{ "range": "bytes=2-4", "if-range": LAST_MODIFIED }, 206, "234"],
  ];
  for (const [fields, status, content] of cases) {
    const found = site.get("a.txt", { fields });
    assertEquals([found.status, found.content], [status, content]);
    assertEquals(found.headers.get("etag"), etag);
    const head = site.get("a.txt", { fields, method: "HEAD" });
    assertEquals([head.status, head.content], [status, ""]);
    const post = site.get("a.txt", { fields, method: "POST" });
    assertEquals([post.status, post.content], [200, "0123456789"]);
  }
});

Deno.test("directory: a name of a directory is redirected to the slash", () => {
  using site = new Site();
  const redirects: [rest: string, query: string, location: string][] = [
    ["sub", "", "/s/sub/"],
    ["sub", "?", "/s/sub/?"],
    ["sub", "?x=1&y=/a?b", "/s/sub/?x=1&y=/a?b"],
    ["a%20b", "", "/s/a%20b/"],
    ["bare", '?q=\u00e9"<>', "/s/bare/?q=%C3%A9%22%3C%3E"],
    ["bare", "?\ud800", "/s/bare/?%EF%BF%BD"],
    ["tricky/index.html", "", "/s/tricky/index.html/"],
  ];
  if (isPosix) redirects.push(["inside-dir", "", "/s/inside-dir/"]);
  for (const [rest, query, location] of redirects) {
    for (const method of ["GET", "HEAD", "POST"]) {
      const found = site.get(rest, { query, method });
      assertEquals([found.status, found.content], [301, location]);
    }
  }
});

Deno.test("directory: a redirect never names another host", () => {
  using site = new Site();
  assertEquals(site.get("evil.com", { prefix: "/" }).content, "/evil.com/");
  for (const rest of ["/evil.com", "//evil.com", "\\evil.com", "%2Fevil.com"]) {
    assertEquals(site.get(rest, { prefix: "/" }).status, 404);
  }
  // A route may be declared with slashes in front.
  for (const prefix of ["//", "///"]) {
    const { content, status } = site.get("evil.com", { prefix });
    assertEquals(status, 301);
    const resolved = new URL(content, "http://localhost/");
    assertEquals(resolved.href, `http://localhost${prefix}evil.com/`);
  }
});

Deno.test("directory: an error of the server is thrown", () => {
  using site = new Site();
  const tooMany = Object.assign(new Error("EMFILE"), { code: "EMFILE" });
  assertThrows(
    () =>
      answerDirectory(
        requestOf("/s/a.txt", "GET", {}),
        "a.txt",
        site.plan,
        () => {
          throw tooMany;
        },
      ),
    Error,
    "EMFILE",
  );
});

Deno.test({
  name: "directory: a link that changes after opening does not let a file out",
  ignore: !isPosix,
  fn() {
    using site = new Site();
    const link = site.at("public/inside");
    const swap = (path: string): OpenFile => {
      Deno.removeSync(link);
      Deno.symlinkSync("../secret.txt", link);
      const opened = site.files.open(path);
      Deno.removeSync(link);
      Deno.symlinkSync("a.txt", link);
      return opened;
    };
    const request = requestOf("/s/inside", "GET", {});
    const answer = answerDirectory(request, "inside", site.plan, swap);
    assertEquals(answer.status, 404);
  },
});

Deno.test("directory: a file that is replaced while it is opened is served", () => {
  using site = new Site();
  let isFirst = true;
  const replace = (path: string): OpenFile => {
    const opened = site.files.open(path);
    if (isFirst) Deno.renameSync(site.write("public/new.txt", "new"), path);
    isFirst = false;
    return opened;
  };
  const request = requestOf("/s/a.txt", "GET", {});
  const answer = answerDirectory(request, "a.txt", site.plan, replace);
  if (answer instanceof Response) throw new Error(`status ${answer.status}`);
  assertEquals(answer.end, 3);
  answer.file.close();
});

Deno.test({
  name: "directory: the route stays with the directory it started with",
  ignore: !isPosix,
  fn() {
    using site = new Site();
    site.write("next/a.txt", "next");
    Deno.symlinkSync("public", site.at("current"));
    const plan = resolveDirectoryRoute("/*", { dir: site.at("current") });
    Deno.removeSync(site.at("current"));
    Deno.symlinkSync("next", site.at("current"));
    assertEquals(plan.root, site.at("public"));
  },
});

Deno.test("directory: a route is checked at the start", () => {
  using site = new Site();
  const resolve = (path: string, dir: unknown) => () =>
    resolveDirectoryRoute(path, { dir: dir as string });
  const code = (error: unknown) => (error as Error & { code: unknown }).code;
  const dir = site.at("public");
  assertEquals(code(assertThrows(resolve("/*", site.at("none")))), "ENOENT");
  assertEquals(
    code(assertThrows(resolve("/*", site.at("secret.txt")))),
    "ENOTDIR",
  );
  assertEquals(
    code(assertThrows(resolve("/*", site.at("secret.txt/x")))),
    "ENOTDIR",
  );
  for (
    const path of ["/s", "/s/", "/", "*", "/s*", "/*/a", "/:id/*", "/a/:id/*"]
  ) {
    assertThrows(resolve(path, dir), TypeError, JSON.stringify(path));
  }
  for (const value of ["", "a\0b", undefined, null, 5, {}]) {
    assertThrows(resolve("/*", value), TypeError, "expected a path");
  }
  assertEquals(resolve("/*", new URL(`file://${dir}`))(), { root: dir });
  assertEquals(resolve("/s/*", `${dir}/sub/..`)(), { root: dir });
});

Deno.test("directory: names that Windows reads differently", () => {
  const refused = [
    "a:b",
    "a.txt::$DATA",
    "C:",
    "a.",
    "a%20",
    "a*",
    "a%7Cb",
    "sub./a",
  ];
  for (const name of refused) {
    assertEquals(decodeDirectoryPath(name, true), undefined, name);
  }
  assertEquals(decodeDirectoryPath("a.b/c%20d.txt", true), "a.b/c d.txt");
  assertEquals(decodeDirectoryPath("a:b", false), "a:b");
});
