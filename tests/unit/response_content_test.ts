import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  hasContent,
  isLiveStream,
  lengthOf,
  responseSymbols,
  streamOf,
} from "../../src/runtime/response_content.ts";

function stream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.close() });
}

const IN_MEMORY: Record<string, () => Response> = {
  text: () => new Response("a"),
  "text with headers": () => new Response("a", { headers: { a: "b" } }),
  bytes: () => new Response(new Uint8Array(2), { status: 201 }),
  json: () => Response.json({}),
  form: () => new Response(new URLSearchParams("a=b")),
  nothing: () => new Response(null, { status: 204 }),
  redirect: () => Response.redirect("http://localhost/"),
  error: () => Response.error(),
  "a clone": () => new Response("a").clone(),
};

Deno.test("This platform tells streams from content in memory", () => {
  assert(responseSymbols !== null);
});

Deno.test("streamOf finds no stream behind content in memory", () => {
  for (const [name, make] of Object.entries(IN_MEMORY)) {
    assertEquals(streamOf(make()), null, name);
    assertEquals(isLiveStream(make()), false, name);
  }
});

Deno.test("streamOf finds the very stream that the response was made from", () => {
  const body = stream();
  assertStrictEquals(streamOf(new Response(body)), body);
  assert(isLiveStream(new Response(body)));
  // A blob is read through a stream, but can be read again.
  const blob = new Response(new Blob(["a"]));
  assert(streamOf(blob) instanceof ReadableStream);
  assertEquals(isLiveStream(blob), false);
});

Deno.test("streamOf works by public means where the platform does not tell", async () => {
  const body = stream();
  assertStrictEquals(streamOf(new Response(body), null), body);
  assertEquals(streamOf(new Response(null), null), null);
  const text = streamOf(new Response("a"), null);
  assert(text instanceof ReadableStream);
  assertEquals(
    await new Response(text as ReadableStream<Uint8Array>).text(),
    "a",
  );
});

Deno.test("lengthOf knows the length of what a Blob streams", () => {
  assertEquals(lengthOf(new Response(new Blob(["abc"]))), 3);
  assertEquals(lengthOf(new Response(stream())), undefined);
  assertEquals(lengthOf(new Response(null)), undefined);
  assertEquals(lengthOf(new Response(new Blob(["abc"])), null), undefined);
});

Deno.test("hasContent tells empty content from none", () => {
  for (const symbols of [responseSymbols, null]) {
    assertEquals(hasContent(new Response(""), symbols), true);
    assertEquals(hasContent(new Response(stream()), symbols), true);
    assertEquals(hasContent(new Response(null), symbols), false);
    assertEquals(hasContent(Response.redirect("http://a/"), symbols), false);
  }
});
