// Compiling this file is the test: `deno test` and `deno check` refuse it when
// a type is not as asserted, and when an expected error does not occur.

import { assertType, type IsExact } from "@std/testing/types";
import {
  type JSTimeFile,
  type JSTimeRequest,
  type RouteHandler,
  type Serve,
  serve,
  type Server,
} from "../../mod.ts";
import type { BunFile, BunRequest } from "../../src/entry/bun.ts";

type Params<Path extends string> = JSTimeRequest<Path>["params"];

Deno.test("params have the names in the pattern", () => {
  assertType<IsExact<Params<"/users/:id">, { readonly id: string }>>(true);
  assertType<IsExact<Params<"/:id">, { readonly id: string }>>(true);
  assertType<
    IsExact<
      Params<"/users/:user/posts/:post">,
      { readonly user: string; readonly post: string }
    >
  >(true);
  assertType<
    IsExact<
      Params<"/:a/:b/:c/:d">,
      {
        readonly a: string;
        readonly b: string;
        readonly c: string;
        readonly d: string;
      }
    >
  >(true);
});

Deno.test("names run to the next slash", () => {
  assertType<IsExact<Params<"/:id.json">, { readonly "id.json": string }>>(
    true,
  );
  assertType<IsExact<Params<"/:id-:v/x">, { readonly "id-:v": string }>>(true);
  assertType<IsExact<Params<"/:id/">, { readonly id: string }>>(true);
  assertType<IsExact<Params<"/:id/edit">, { readonly id: string }>>(true);
});

Deno.test("a colon inside a segment, and wildcards, are no params", () => {
  assertType<IsExact<keyof Params<"/">, never>>(true);
  assertType<IsExact<keyof Params<"/about">, never>>(true);
  assertType<IsExact<keyof Params<"/a:b/c">, never>>(true);
  assertType<IsExact<keyof Params<"/*">, never>>(true);
  assertType<IsExact<Params<"/files/:dir/*">, { readonly dir: string }>>(true);
});

Deno.test("without a literal, any name may be there", () => {
  assertType<IsExact<Params<string>, Readonly<Record<string, string>>>>(true);
  const read = (request: JSTimeRequest) => request.params.anything;
  assertType<IsExact<ReturnType<typeof read>, string | undefined>>(true);
});

Deno.test("serve() types the request of each handler", () => {
  const _neverCalled = () =>
    serve({
      routes: {
        "/users/:id": (request, server) => {
          assertType<IsExact<typeof request, JSTimeRequest<"/users/:id">>>(
            true,
          );
          assertType<IsExact<typeof request.params.id, string>>(true);
          assertType<IsExact<typeof server, Server>>(true);
          // @ts-expect-error The pattern has no such name.
          request.params.name;
          // @ts-expect-error Params are read-only.
          request.params.id = "1";
          return new Response();
        },
        "/users/:id/posts/:post": {
          GET: ({ params }) => new Response(params.id + params.post),
          POST: async (request) => {
            assertType<IsExact<typeof request.params.post, string>>(true);
            // @ts-expect-error The pattern has no such name.
            request.params.user;
            return Response.json(await request.json());
          },
          DELETE: new Response(null, { status: 204 }),
        },
        "/about": (request) => {
          // @ts-expect-error The pattern has no names.
          request.params.id;
          return new Response();
        },
        "/static": new Response("static"),
        "/files/*": { dir: "." },
        "/off": false,
      },
    });
});

Deno.test("fetch gets a plain request, and this is the server", () => {
  const _neverCalled = () =>
    serve({
      fetch(request, server) {
        assertType<IsExact<typeof request, Request>>(true);
        assertType<IsExact<typeof server, Server>>(true);
        assertType<IsExact<typeof this, Server>>(true);
        // @ts-expect-error Only routes have params.
        request.params;
        return new Response();
      },
      error(error) {
        assertType<IsExact<typeof error.code, string | undefined>>(true);
        assertType<IsExact<typeof this, Server>>(true);
      },
    });
});

Deno.test("handlers may be written apart from their route", () => {
  const show: RouteHandler<"/users/:id"> = ({ params }) =>
    new Response(params.id);
  const edit = (request: JSTimeRequest<"/users/:id/edit">) =>
    new Response(request.params.id);
  const plain = (request: Request) => new Response(request.url);
  const _neverCalled = () => {
    serve({ routes: { "/users/:id": show } });
    serve({ routes: { "/users/:id/edit": { PUT: edit } } });
    serve({ routes: { "/plain": plain } });
    // @ts-expect-error The handler needs a param that this pattern has not.
    serve({ routes: { "/users/:name": show } });
  };
});

Deno.test("values that are no routes are refused", () => {
  const _neverCalled = () => {
    // @ts-expect-error A number is no route.
    serve({ routes: { "/number": 42 } });
    // @ts-expect-error A string is no response.
    serve({ routes: { "/text": () => "text" } });
    // @ts-expect-error Methods are written in upper case.
    serve({ routes: { "/lower": { get: () => new Response() } } });
    // @ts-expect-error fetch is a function.
    serve({ fetch: new Response() });
  };
});

Deno.test("options can be written apart from serve()", () => {
  const options: Serve.Options<undefined, "/users/:id"> = {
    routes: { "/users/:id": ({ params }) => new Response(params.id) },
  };
  const general: Serve.Options = {
    routes: { "/users/:id": ({ params }) => new Response(params.id ?? "") },
  };
  const _neverCalled = () => [serve(options), serve(general)];
});

Deno.test("Bun's names mean the same types", () => {
  assertType<IsExact<BunRequest<"/:id">, JSTimeRequest<"/:id">>>(true);
  assertType<IsExact<BunRequest, JSTimeRequest>>(true);
  assertType<IsExact<BunFile, JSTimeFile>>(true);
});
