/** Answers whatever is asked, but not before all of it was. */
import { serve } from "../../mod.ts";
import { entry } from "../tls/certificates.ts";

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  http2: true,
  development: false,
  ...(Deno.env.has("WITH_TLS") && { tls: entry("first") }),
  fetch: async (request) => {
    await request.bytes();
    return new Response("An answer with content, of which windows take parts");
  },
});
console.log(`Listening on ${server.url}`);
