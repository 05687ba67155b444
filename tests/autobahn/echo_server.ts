/** An echo for everything that the test suite sends. */
import { serve } from "../../mod.ts";

const MEBIBYTE = 1024 * 1024;

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: (request, server) =>
    server.upgrade(request) ? undefined : new Response(null, { status: 426 }),
  websocket: {
    // With everything that can be negotiated.
    perMessageDeflate: { compress: "dedicated", decompress: "dedicated" },
    // The longest messages have 16 MiB.
    maxPayloadLength: 32 * MEBIBYTE,
    // The suite sends a thousand messages without reading one.
    backpressureLimit: 256 * MEBIBYTE,
    message: (socket, message) => void socket.send(message, true),
  },
});
console.log(`Listening on ${server.url}`);
