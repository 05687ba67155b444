// A first server.
//
//   deno task start          or: deno run -A examples/hello.ts
//   curl http://localhost:3000/hello/you
//
// In a project of your own, import from "jsr:@jstime/serve".

import { serve } from "@jstime/serve";

const server = serve({
  routes: {
    "/": new Response("Hello! Try /hello/your-name\n"),
    "/hello/:name": (request) =>
      new Response(`Hello, ${request.params.name}!\n`),
    "/echo": {
      POST: async (request) => Response.json(await request.json()),
    },
  },
  fetch: () => new Response("There is nothing here\n", { status: 404 }),
});

console.log(`Listening on ${server.url}`);
