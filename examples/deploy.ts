// For Deno Deploy, or any platform that listens by itself: the options of
// serve() become a module with a default export. To try it here:
//
//   deno serve -A examples/deploy.ts
//   curl http://localhost:8000/hello/you

import { deploy } from "@jstime/serve/deploy";

export default deploy({
  routes: {
    "/": new Response("Hello from the edge\n"),
    "/hello/:name": (request) =>
      new Response(`Hello, ${request.params.name}!\n`),
  },
});
