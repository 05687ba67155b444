import { assert, assertEquals } from "@std/assert";
import { file } from "@jstime/serve";
import type { HttpListener, StaticEntry } from "../../src/engine/engine.ts";
import { compileRoutes } from "../../src/http/route_table.ts";
import { staticEntries } from "../../src/http/static_entries.ts";
import { StaticPublisher } from "../../src/http/static_publisher.ts";
import { TemporaryDirectory } from "./file_fixture.ts";

const handler = () => new Response("handler");

/** Entries as "path methods" for routes. */
async function namesOf(routes: Record<string, unknown>): Promise<string[]> {
  const entries = await staticEntries(compileRoutes(routes));
  return entries.map(({ path, methods }) =>
    `${path} ${methods?.join(" ") ?? "any"}`
  ).sort();
}

async function onlyEntry(value: unknown): Promise<StaticEntry> {
  const [entry, ...others] = await staticEntries(compileRoutes({ "/": value }));
  assert(entry !== undefined);
  assertEquals(others, []);
  return entry;
}

Deno.test("exact paths of static responses and files become entries", async () => {
  const page = file("page.html");
  const routes = {
    "/any": new Response("any"),
    "/file": page,
    "/handler": handler,
    "/off": false,
    "/:param": new Response("param"),
    "/wild/*": new Response("wild"),
    "/table": {
      GET: new Response("get"),
      POST: handler,
      PUT: new Response("put"),
    },
    "/head": { GET: new Response("get"), HEAD: handler },
    "/handled": { GET: handler, POST: new Response("post") },
    "/files": { GET: page, POST: page },
    "/posted": { POST: page },
    "/a b": new Response("never sent like this"),
    "/ü": new Response("nor like this"),
    "/query?a": new Response("never matched"),
  };
  assertEquals(await namesOf(routes), [
    "/any any",
    "/file GET HEAD",
    "/files GET HEAD",
    "/handled POST",
    "/head GET",
    "/table GET HEAD",
    "/table PUT",
  ]);
});

Deno.test("one response for several methods is one entry of each", async () => {
  const same = new Response("same");
  assertEquals(await namesOf({ "/": { GET: same, POST: same } }), [
    "/ GET HEAD",
    "/ POST",
  ]);
});

Deno.test("a static entry has what the router answers", async () => {
  const entry = await onlyEntry(
    new Response("hello", {
      status: 200,
      headers: { "x-a": "b", "set-cookie": "c=d", "content-length": "99" },
    }),
  );
  const { content, headers } = entry;
  assert(content.kind === "content");
  assertEquals(new TextDecoder().decode(content.bytes), "hello");
  assertEquals(entry.status, 200);
  assertEquals(headers.get("content-type"), "text/plain;charset=UTF-8");
  assertEquals(headers.get("x-a"), "b");
  assertEquals(headers.getSetCookie(), ["c=d"]);
  assertEquals(headers.get("content-length"), null);
  assertEquals(content.notModified?.get("etag"), headers.get("etag"));
  assertEquals(content.notModified?.get("x-a"), "b");
  assertEquals(content.notModified?.get("content-length"), null);
});

Deno.test("only status 200 with a tag has a 304", async () => {
  const responses = [
    new Response("lost", { status: 404 }),
    new Response(null, { status: 204 }),
    new Response(""),
  ];
  for (const response of responses) {
    const { status } = response;
    const entry = await onlyEntry(response);
    assertEquals(entry.status, status);
    assert(entry.content.kind === "content");
    assertEquals(entry.content.notModified, undefined);
  }
});

Deno.test("a response may be used after its entry was made", async () => {
  const router = compileRoutes({ "/": new Response("again") });
  await staticEntries(router);
  const target = router.match("/", "GET")?.target;
  assert(target?.kind === "static");
  const request = new Request("http://localhost/");
  for (let times = 0; times < 2; times++) {
    assertEquals(await target.answer.answer(request).text(), "again");
  }
  const [entry] = await staticEntries(router);
  assert(entry?.content.kind === "content");
  assertEquals(entry.content.bytes.length, 5);
});

Deno.test("what depends on more than path and method stays with the router", async () => {
  const page = file("page.html");
  const headers = (init: HeadersInit) => ({ headers: init });
  assertEquals(
    await namesOf({
      "/close": new Response("x", headers({ connection: "close" })),
      "/upgrade": new Response("x", headers({ upgrade: "h2c" })),
      "/length": new Response(null, headers({ "content-length": "5" })),
      "/tag": new Response("x", headers({ etag: "unquoted" })),
      "/slice": page.slice(0, 10),
      "/dated": new Response(page, headers({ "last-modified": "yesterday" })),
      "/closing": new Response(page, headers({ connection: "close" })),
    }),
    [],
  );
});

Deno.test("a file entry has the headers of the file answer", async () => {
  const plain = await onlyEntry(file("page.html"));
  assertEquals(plain.status, 200);
  assertEquals(Object.fromEntries(plain.headers), {
    "accept-ranges": "bytes",
    "content-type": "text/html;charset=utf-8",
  });
  assert(plain.content.kind === "file");
  assert(plain.content.path.endsWith("page.html"));

  const own = await onlyEntry(
    new Response(file("page.html"), {
      status: 404,
      headers: { "content-type": "text/x-own", "x-a": "b" },
    }),
  );
  assertEquals(own.status, 404);
  assertEquals(Object.fromEntries(own.headers), {
    "content-type": "text/x-own",
    "x-a": "b",
  });
});

Deno.test({
  name: "a file that may not be read has no entry",
  permissions: { read: [] },
  async fn() {
    assertEquals(await namesOf({ "/": file("/etc/hostname") }), []);
  },
});

/** A listener that shows what it was told. */
class FakeListener {
  readonly told: string[] = [];

  setStatic(entries: readonly StaticEntry[]): void {
    this.told.push(entries.map((entry) => entry.path).join(" "));
  }
}

function publisher(): { listener: FakeListener; publisher: StaticPublisher } {
  const listener = new FakeListener();
  return {
    listener,
    publisher: new StaticPublisher(listener as unknown as HttpListener),
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("publishing takes back at once what was published before", async () => {
  const { listener, publisher: subject } = publisher();
  const router = compileRoutes({ "/old": new Response("x") });
  subject.publish(router);
  await turn();
  subject.publish(router);
  assertEquals(listener.told, ["/old"]);
  subject.publish(compileRoutes({ "/new": new Response("x") }));
  assertEquals(listener.told, ["/old", ""]);
  await turn();
  assertEquals(listener.told, ["/old", "", "/new"]);
  subject.publish(compileRoutes({ "/new": handler }));
  await turn();
  assertEquals(listener.told, ["/old", "", "/new", ""]);
});

Deno.test("what was replaced before it could be published never is", async () => {
  const { listener, publisher: subject } = publisher();
  subject.publish(compileRoutes({ "/old": new Response("x") }));
  subject.publish(compileRoutes({ "/new": new Response("x") }));
  await turn();
  assertEquals(listener.told, ["/new"]);
});

Deno.test("a server that stops publishes nothing more", async () => {
  const { listener, publisher: subject } = publisher();
  subject.publish(compileRoutes({ "/old": new Response("x") }));
  subject.stop();
  subject.publish(compileRoutes({ "/new": new Response("x") }));
  await turn();
  assertEquals(listener.told, []);
});

Deno.test("a file route follows its file", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.write("a.txt", "a");
  const entry = await onlyEntry(file(path));
  assert(entry.content.kind === "file");
  assertEquals(entry.content.path, path);
});
