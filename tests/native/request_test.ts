import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Exchange } from "../../src/engine/engine.ts";
import { EVENT_GONE } from "../../src/engine/native/abi.ts";
import { headerOf } from "../../src/runtime/request_slots.ts";
import { FakeIo, type FakeRequest } from "./fake_io.ts";

/** Has a request handled as the engine would. */
async function withRequest(
  request: FakeRequest,
  use: (request: Request, exchange: Exchange, io: FakeIo) => unknown,
): Promise<void> {
  const io = new FakeIo();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  io.serve(async (received, exchange) => {
    try {
      resolve(await use(received, exchange, io));
    } catch (error) {
      reject(error);
    }
    return new Response(null);
  });
  try {
    io.request(request);
    await Promise.all([promise, io.turn()]);
  } finally {
    io.close();
  }
}

Deno.test("a request is a Request to the platform", () =>
  withRequest({ headers: [["x-a", "b"]] }, (request) => {
    assert(request instanceof Request);
    assertEquals(request.constructor, Request);
    assertEquals(Object.prototype.toString.call(request), "[object Request]");
    assert(request.headers instanceof Headers);
    assertEquals(request.headers.constructor, Headers);
    assert(request.signal instanceof AbortSignal);
    assertEquals(request.redirect, "follow");
    assertEquals(request.cache, "default");
    assertEquals(request.referrer, "about:client");
    assertEquals(request.keepalive, false);
    assertEquals(request.body, null);
    assertEquals(request.bodyUsed, false);
    assert(Deno.inspect(request).startsWith("Request {"));
    assert(Deno.inspect(request.headers).startsWith("Headers {"));
  }));

for (
  const method of [
    ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    ...["TRACE", "CONNECT", "PROPFIND", "M-SEARCH", "get"],
  ]
) {
  Deno.test(`the method ${method}, and copies of the request`, () =>
    withRequest({ method, content: "content" }, async (request) => {
      assertEquals(request.method, method);
      const clone = request.clone();
      assertEquals(clone.method, method);
      assertEquals(await clone.text(), "content");
      assertEquals(await request.text(), "content");
    }));
}

const urls: [target: string, host: string | null, url: string][] = [
  ["/a?b=c", "localhost:81", "http://localhost:81/a?b=c"],
  ["/a/../b", "localhost", "http://localhost/a/../b"],
  ["/ä", "localhost", "http://localhost/ä"],
  ["/a", null, "http://127.0.0.1:80/a"],
  ["/a", "", "http://127.0.0.1:80/a"],
  ["http://other.example/a", "localhost", "http://other.example/a"],
  ["*", "localhost", "http://localhost"],
];
for (const [target, host, url] of urls) {
  Deno.test(`the URL of ${target} at ${host}`, () =>
    withRequest({ target, host }, (request, exchange) => {
      assertEquals(request.url, url);
      assertEquals(exchange.host, host);
      const copy = new Request(request);
      assertEquals(copy.url, new URL(url).href);
    }));
}

const paths: [target: string, path: string | undefined][] = [
  ["/", "/"],
  ["/a/b?c/d", "/a/b"],
  ["/?", "/"],
  ["/a%20b", "/a%20b"],
  ["//a", "//a"],
  ["http://localhost/a?b", "/a"],
  ["http://localhost", "/"],
  ["http://localhost?a/b", "/"],
  ["HTTP://LOCALHOST/a", "/a"],
  ["*", undefined],
];
for (const [target, path] of paths) {
  Deno.test(`the path of ${target}`, () =>
    withRequest({ target }, (_, exchange) => {
      assertEquals(exchange.path, path);
    }));
}

Deno.test("an invalid Host names no path, and still there is a URL", () =>
  withRequest({ target: "/a", host: "b/c" }, (request, exchange) => {
    assertEquals(exchange.path, undefined);
    assertEquals(exchange.host, "b/c");
    assertEquals(new Request(request).url, "http://invalid/a");
  }));

Deno.test("targets and hosts of slots are those last defined", async () => {
  const io = new FakeIo();
  const seen: string[] = [];
  const requests: Request[] = [];
  io.serve((request, exchange) => {
    requests.push(request);
    seen.push(`${exchange.host} ${exchange.path} ${request.url}`);
    return new Response("");
  });
  io.request({ target: "/a", targetSlot: 3, host: "one", hostSlot: 7 });
  io.request({ targetSlot: 3, hostSlot: 7 });
  io.request({ target: "/b", targetSlot: 3, hostSlot: 7 });
  io.request({ targetSlot: 3, host: "two", hostSlot: 7 });
  io.request({ targetSlot: 3, host: null });
  io.request({ target: "/c" });
  io.request({ targetSlot: 3, hostSlot: 7 });
  await io.turn();
  io.close();
  assertEquals(seen, [
    "one /a http://one/a",
    "one /a http://one/a",
    "one /b http://one/b",
    "two /b http://two/b",
    "null /b http://127.0.0.1:80/b",
    "localhost /c http://localhost/c",
    "two /b http://two/b",
  ]);
  assertEquals(requests[0]!.url, "http://one/a");
});

const fields: [string, string][] = [
  ["host", "localhost"],
  ["x-a", "b"],
  ["cookie", "a=1"],
  ["x-list", "c"],
  ["x-a-longer", "d"],
  ["x-list", "e"],
  ["x-empty", ""],
  ["cookie", "b=2"],
  ["x-bytes", "caf\xe9"],
  ["__proto__", "e"],
];

Deno.test("headers are found one by one", () =>
  withRequest({ headers: fields }, ({ headers }) => {
    assertEquals(headers.get("x-a"), "b");
    assertEquals(headers.get("X-A"), "b");
    assertEquals(headers.get("x-list"), "c, e");
    assertEquals(headers.get("cookie"), "a=1; b=2");
    assertEquals(headers.get("x-bytes"), "café");
    assertEquals(headers.get("x-empty"), "");
    assertEquals(headers.get("__proto__"), "e");
    assertEquals(headers.get("x"), null);
    assertEquals(headers.get("x-missing"), null);
    assertEquals(headers.has("x-a"), true);
    assertEquals(headers.has("x-b"), false);
    assertThrows(() => headers.get("not a name"), TypeError);
    assertThrows(() => headers.has(""), TypeError);
    const get: unknown = headers.get;
    assertThrows(() => (get as () => void).call(headers), TypeError);
  }));

Deno.test("headers are listed as the platform lists them", () =>
  withRequest({ headers: fields }, ({ headers }) => {
    const expected = [
      ["__proto__", "e"],
      ["cookie", "a=1; b=2"],
      ["host", "localhost"],
      ["x-a", "b"],
      ["x-a-longer", "d"],
      ["x-bytes", "café"],
      ["x-empty", ""],
      ["x-list", "c, e"],
    ];
    assertEquals([...headers], expected);
    assertEquals([...headers.keys()], expected.map(([name]) => name));
    assertEquals([...new Headers(headers)], expected);
    assertEquals(headers.get("x-list"), "c, e");
  }));

Deno.test("headers can be changed, and stay so", () =>
  withRequest({ method: "POST", headers: fields, content: "a" }, (request) => {
    const { headers } = request;
    headers.set("x-a", "changed");
    headers.append("x-list", "more");
    headers.delete("cookie");
    assertEquals(request.headers, headers);
    assertEquals(headers.get("x-a"), "changed");
    assertEquals(headerOf(request, "x-a"), "changed");
    assertEquals(headerOf(request, "cookie"), null);
    const copy = request.clone();
    assertEquals(copy.headers.get("x-a"), "changed");
    assertEquals(copy.headers.get("x-list"), "c, e, more");
    headers.set("x-a", "again");
    assertEquals(request.clone().headers.get("x-a"), "again");
    assertEquals(copy.headers.get("x-a"), "changed");
  }));

Deno.test("headers of a request that was copied before are its own", () =>
  withRequest({ headers: fields }, (request) => {
    const copy = request.clone();
    request.headers.set("x-a", "changed");
    assertEquals(request.clone().headers.get("x-a"), "changed");
    assertEquals(copy.headers.get("x-a"), "b");
  }));

Deno.test("a single header costs no Headers object", () =>
  withRequest({ headers: fields }, (request) => {
    assertEquals(headerOf(request, "x-a"), "b");
    assertEquals(headerOf(request, "cookie"), "a=1; b=2");
    assertEquals(headerOf(request, "x-missing"), null);
  }));

const readers: [string, (request: Request) => Promise<unknown>, unknown][] = [
  ["text", (request) => request.text(), '{"a":"ä"}'],
  ["json", (request) => request.json(), { a: "ä" }],
  [
    "bytes",
    (request) => request.bytes(),
    new TextEncoder().encode('{"a":"ä"}'),
  ],
  [
    "arrayBuffer",
    (request) => request.arrayBuffer(),
    new TextEncoder().encode('{"a":"ä"}').buffer,
  ],
  ["blob", async (request) => {
    const blob = await request.blob();
    return [blob.type, await blob.text()];
  }, ["text/x-a", '{"a":"ä"}']],
  ["body", async (request) => {
    const chunks = await Array.fromAsync(request.body!);
    return await new Blob(chunks).text();
  }, '{"a":"ä"}'],
  ["new Request", (request) => new Request(request).text(), '{"a":"ä"}'],
];
for (const [name, read, expected] of readers) {
  Deno.test(`content that is in the record is read by ${name}, once`, () =>
    withRequest({
      method: "POST",
      content: '{"a":"ä"}',
      headers: [["content-type", "text/x-a"]],
    }, async (request, exchange) => {
      assertEquals(exchange.hasContent, true);
      assertEquals(request.bodyUsed, false);
      assertEquals(await read(request), expected);
      assertEquals(request.bodyUsed, true);
      await assertRejects(() => request.text(), TypeError);
      await assertRejects(() => request.json(), TypeError);
      await assertRejects(() => request.blob(), TypeError);
      await assertRejects(() => request.bytes(), TypeError);
      await assertRejects(() => request.arrayBuffer(), TypeError);
      await assertRejects(() => request.formData(), TypeError);
      assertThrows(() => request.clone(), TypeError);
      assertThrows(() => new Request(request), TypeError);
    }));
}

Deno.test("no content is no body, and is read as often as one likes", () =>
  withRequest({ method: "POST" }, async (request, exchange) => {
    assertEquals(exchange.hasContent, false);
    assertEquals(await request.text(), "");
    assertEquals(await request.bytes(), new Uint8Array(0));
    assertEquals((await request.arrayBuffer()).byteLength, 0);
    assertEquals((await request.blob()).size, 0);
    await assertRejects(() => request.json(), SyntaxError);
    await assertRejects(() => request.formData(), TypeError);
    assertEquals(request.bodyUsed, false);
    assertEquals(request.body, null);
  }));

Deno.test("a byte order mark is dropped, and what is no UTF-8 replaced", () =>
  withRequest({
    method: "POST",
    content: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff),
  }, async (request) => {
    assertEquals(await request.text(), "a\ufffd");
  }));

Deno.test("forms are taken apart", () =>
  withRequest({
    method: "POST",
    content: "a=b+c&d=e",
    headers: [["content-type", "application/x-www-form-urlencoded"]],
  }, async (request) => {
    assertEquals([...await request.formData()], [["a", "b c"], ["d", "e"]]);
  }));

Deno.test("invalid JSON rejects", () =>
  withRequest({ method: "POST", content: "{" }, async (request) => {
    await assertRejects(() => request.json(), SyntaxError);
    assertEquals(request.bodyUsed, true);
  }));

Deno.test("content that is read does not change with what follows", async () => {
  const io = new FakeIo();
  const contents: Promise<Uint8Array>[] = [];
  io.serve((request) => {
    contents.push(request.bytes());
    return new Response("");
  });
  io.request({ method: "POST", content: "first" });
  io.request({ method: "POST", content: "other" });
  await io.turn();
  (await contents[0]!).fill(0);
  assertEquals(new TextDecoder().decode(await contents[1]), "other");
  io.close();
});

Deno.test("the signal of the request aborts when the client leaves", () =>
  withRequest({ generation: 4 }, async (request, _, io) => {
    const { signal } = request;
    const { signal: copied } = new Request(request);
    assertEquals(signal.aborted, false);
    await null;
    io.event(EVENT_GONE, 0, { generation: 4 });
    await io.turn();
    assertEquals(signal.aborted, true);
    assertEquals(copied.aborted, true);
  }));

const addresses: [4 | 6, number[], string, "IPv4" | "IPv6"][] = [
  [4, [127, 0, 0, 1], "127.0.0.1", "IPv4"],
  [6, Array(16).fill(0), "::", "IPv6"],
  [6, [...Array(15).fill(0), 1], "::1", "IPv6"],
  [6, [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 5], "2001:db8::5", "IPv6"],
  [
    6,
    [0xfe, 0x80, ...Array(6).fill(0), 2, 1, 0, 0, 0, 0, 0, 0],
    "fe80::201:0:0:0",
    "IPv6",
  ],
  [6, Array(16).fill(1), "101:101:101:101:101:101:101:101", "IPv6"],
  [
    6,
    [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1],
    "1:0:1:0:1:0:1:1",
    "IPv6",
  ],
  [6, [...Array(10).fill(0), 255, 255, 10, 0, 0, 1], "::ffff:10.0.0.1", "IPv6"],
];
for (const [family, bytes, address, shown] of addresses) {
  Deno.test(`the address ${address}`, () =>
    withRequest(
      { address: { family, bytes, port: 65_535 } },
      (_, exchange) => {
        assertEquals(exchange.remoteAddress(), {
          address,
          port: 65_535,
          family: shown,
        });
      },
    ));
}

Deno.test("there is no address over Unix sockets, and none at the end", async () => {
  await withRequest({}, (_, exchange) => {
    assertEquals(exchange.remoteAddress(), null);
  });
  let kept: Exchange | undefined;
  const address = { family: 4 as const, bytes: [10, 0, 0, 1], port: 1 };
  await withRequest({ address }, (_, exchange) => {
    kept = exchange;
    assertEquals(exchange.remoteAddress()?.address, "10.0.0.1");
  });
  assertEquals(kept!.remoteAddress(), null);
});
