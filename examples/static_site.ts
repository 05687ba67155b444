// A folder of files as a web site: types, ranges, conditional requests and
// index.html come with it.
//
//   deno run -A examples/static_site.ts
//   open http://localhost:3000

import { serve } from "@jstime/serve";

const server = serve({
  routes: {
    "/*": { dir: `${import.meta.dirname}/site` },
  },
});

console.log(`Listening on ${server.url}`);
