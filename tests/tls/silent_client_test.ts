import { assertEquals } from "@std/assert";
import { serve } from "../../mod.ts";
import { certificateOf, keyOf } from "./certificates.ts";

for (const force of [false, true]) {
  Deno.test(`stop(${force}) does not wait for a client that never finishes its handshake`, async () => {
    const server = serve({
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
  });
}
