import { assertEquals } from "@std/assert";
import { serve } from "../../mod.ts";
import { engineTest } from "./engines.ts";
import { certificateOf, keyOf } from "./certificates.ts";

for (const force of [false, true]) {
  engineTest(
    `stop(${force}) does not wait for a client that never finishes its handshake`,
    async (engine) => {
      const server = serve({
        engine,
        hostname: "127.0.0.1",
        port: 0,
        tls: { cert: certificateOf("first"), key: keyOf("first") },
        fetch: () => new Response("hello"),
      });
      const client = await Deno.connect({
        hostname: "127.0.0.1",
        port: server.port!,
      });
      await server.stop(force);
      assertEquals(server.pendingRequests, 0);
      client.close();
    },
  );
}
