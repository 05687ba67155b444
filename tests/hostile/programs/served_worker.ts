/** A server in a worker; the worker says where it listens. */
import { serve } from "../../../mod.ts";

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: () => new Response("worker"),
});
(self as unknown as Worker).postMessage(server.port);
