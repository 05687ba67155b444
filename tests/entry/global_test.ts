import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import "../../src/entry/global.ts";
import type { BunNamespace, JSTimeNamespace } from "../../src/entry/global.ts";
import BunObject from "../../src/entry/bun.ts";
import { JSTime as JSTimeObject } from "../../mod.ts";

const { JSTime, Bun } = globalThis as unknown as {
  JSTime: JSTimeNamespace;
  Bun: BunNamespace;
};

// What TypeScript does not know that Response accepts.
const content = (value: unknown) => value as BodyInit;
const redirect = Response.redirect as (
  url: string | URL,
  init?: number | ResponseInit,
) => Response;

Deno.test("./global installs JSTime and Bun", () => {
  assertEquals(JSTime, JSTimeObject);
  assertEquals(Bun, BunObject);
  assert(!Object.keys(globalThis).includes("Bun"));
  assert(Object.getOwnPropertyDescriptor(globalThis, "Bun")!.writable);
});

Deno.test("./global leaves an existing Bun alone", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      `globalThis.Bun = 1;
      await import("${new URL("../../src/entry/global.ts", import.meta.url)}");
      console.log(globalThis.Bun, typeof globalThis.JSTime.serve);`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 0);
  assertEquals(new TextDecoder().decode(stdout), "1 function\n");
});

Deno.test("Response stays the Response that everybody knows", async () => {
  const response = new Response("a", { status: 201, headers: { x: "y" } });
  assert(response instanceof Response);
  assertEquals(response.constructor, Response);
  assertEquals(Object.prototype.toString.call(response), "[object Response]");
  assertEquals([response.status, response.headers.get("x")], [201, "y"]);
  assertEquals(await response.text(), "a");
  assertEquals([Response.name, Response.length], ["Response", 0]);
  assertEquals(await Response.json({ a: 1 }).json(), { a: 1 });
  assert(Response.error() instanceof Response);
  assert(response.clone === Response.prototype.clone);
  assertEquals(new Response().body, null);
  assertEquals(new Response(null, { status: 204 }).body, null);
  assertThrows(() => (Response as unknown as () => void)(), TypeError);
  assertThrows(() => new Response("a", { status: 199 }), RangeError);
  class Special extends Response {
    special = true;
  }
  const special = new Special("b");
  assert(special instanceof Special && special instanceof Response);
  assert(special.special);
  assertEquals(await special.text(), "b");
  const fetched = await fetch("data:text/plain,c");
  assert(fetched instanceof Response);
  await fetched.body?.cancel();
});

Deno.test("Response streams from async iterables and generators", async () => {
  const bytes = new TextEncoder().encode("bytes");
  async function* pieces() {
    yield "text ";
    await Promise.resolve();
    yield bytes;
    yield " ";
    yield bytes.buffer;
  }
  for (
    const body of [
      pieces,
      pieces(),
      { [Symbol.asyncIterator]: pieces },
    ]
  ) {
    const response = new Response(content(body));
    assertEquals(response.headers.get("content-type"), null);
    assertEquals(await response.text(), "text bytes bytes");
  }
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  assertEquals(await new Response(stream).text(), "bytes");
});

Deno.test("a generator runs on demand and is told when nobody reads", async () => {
  const events: string[] = [];
  async function* numbers() {
    try {
      for (let number = 0;; number++) {
        events.push(`make ${number}`);
        yield String(number);
      }
    } finally {
      events.push("end");
    }
  }
  const reader = new Response(content(numbers)).body!.getReader();
  assertEquals(events, []);
  await reader.read();
  await reader.read();
  assertEquals(events, ["make 0", "make 1"]);
  await reader.cancel();
  assertEquals(events, ["make 0", "make 1", "end"]);
});

Deno.test("a generator's error reaches the reader", async () => {
  const failing = async function* () {
    yield "a";
    throw new RangeError("broken");
  };
  await assertRejects(
    () => new Response(content(failing)).text(),
    RangeError,
    "broken",
  );
  const wrong = async function* () {
    yield 42;
  };
  await assertRejects(
    () => new Response(content(wrong)).text(),
    TypeError,
    "number",
  );
});

Deno.test("generators are sent by a server", async () => {
  const server = JSTime.serve({
    port: 0,
    hostname: "127.0.0.1",
    routes: {
      "/stream": () =>
        new Response(content(async function* () {
          yield "one ";
          yield "two";
        })),
      "/none": () => new Response("", { status: 204 }),
      "/away": () => Response.redirect("/stream"),
    },
  });
  try {
    const ask = (path: string) => fetch(new URL(path, server.url));
    assertEquals(await (await ask("/stream")).text(), "one two");
    assertEquals(await (await ask("/away")).text(), "one two");
    const none = await ask("/none");
    assertEquals([none.status, await none.text()], [204, ""]);
  } finally {
    await server.stop(true);
  }
});

Deno.test("Response drops text and bytes where there is no content", () => {
  for (const status of [101, 204, 205, 304]) {
    for (const body of ["", "No Content", new Uint8Array(1)]) {
      const response = new Response(content(body), { status });
      assertEquals([response.status, response.body], [status, null]);
    }
  }
  assertThrows(
    () => new Response(new ReadableStream(), { status: 204 }),
    TypeError,
  );
});

Deno.test("Response.redirect() accepts relative references", () => {
  const cases: [string, string][] = [
    ["/a", "/a"],
    ["a?b=c#d", "a?b=c#d"],
    ["../up", "../up"],
    ["?page=2", "?page=2"],
    ["", ""],
    ["/a b", "/a%20b"],
    ["/é?ü=%20", "/%C3%A9?%C3%BC=%20"],
    ["/\uD800", "/%EF%BF%BD"],
    ["https://example.com/x y", "https://example.com/x%20y"],
  ];
  for (const [url, location] of cases) {
    const response = redirect(url);
    assertEquals(response.status, 302);
    assertEquals(response.headers.get("location"), location);
  }
  assertEquals(redirect("/a", 307).status, 307);
  const response = redirect("/a", { status: 303, headers: { x: "y" } });
  assertEquals([response.status, response.headers.get("x")], [303, "y"]);
  const absolute = redirect("http://x/", { headers: { x: "y" } });
  assertEquals([absolute.status, absolute.headers.get("x")], [302, "y"]);
});

Deno.test("Response.redirect() refuses splitting and other statuses", () => {
  for (const url of ["/a\r\nx: y", "/a\nb", "/\0", "/\x7f"]) {
    assertThrows(() => redirect(url), TypeError, "control characters");
  }
  for (const status of [200, 304, 404]) {
    assertThrows(() => redirect("/a", status), RangeError, String(status));
    assertThrows(() => redirect("/a", { status }), RangeError);
    assertThrows(() => redirect("http://x/", status), RangeError);
  }
});

Deno.test("Headers.prototype.toJSON() gives an object", () => {
  const headers = new Headers({ "X-Two": "2", __proto__x: "p" });
  headers.append("x-one", "a");
  headers.append("x-one", "b");
  assertEquals(JSON.parse(JSON.stringify(headers)), {
    "__proto__x": "p",
    "x-one": "a, b",
    "x-two": "2",
  });
  headers.append("Set-Cookie", "a=1");
  assertEquals(JSON.parse(JSON.stringify(headers))["set-cookie"], ["a=1"]);
  const dangerous = new Headers([["__proto__", "x"]]);
  assertEquals(JSON.stringify(dangerous), '{"__proto__":"x"}');
});
