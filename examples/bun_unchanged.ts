// A server written for Bun, to the letter. Bun runs it as it is:
//
//   bun examples/bun_unchanged.ts
//
// Deno runs it as it is, too, once an import map says what "bun" means:
//
//   deno run -A examples/bun_unchanged.ts
//
// In this repository deno.json says so; in yours, add
//
//   { "imports": { "bun": "jsr:@jstime/serve/bun" } }

import { type BunRequest, file, serve } from "bun";

const visits = new Map<string, number>();

const server = serve({
  routes: {
    "/": () => new Response("Hello from a file written for Bun\n"),
    "/visits/:name": (request: BunRequest<"/visits/:name">) => {
      const { name } = request.params;
      const count = (visits.get(name) ?? 0) + 1;
      visits.set(name, count);
      request.cookies.set("last-visitor", name);
      return Response.json({ name, count });
    },
    "/source": file(new URL(import.meta.url)),
  },
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    return new Response(`No route matches ${pathname}\n`, { status: 404 });
  },
});

console.log(`Listening on ${server.url}`);
