import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { serve } from "@jstime/serve";
import { handshake } from "../conformance/web_socket.ts";
import { testOnEngines } from "./engines.ts";

/** Sends a handshake, and does not wait for the answer. */
function shakeAndReset(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(handshake(), () => socket.resetAndDestroy());
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

testOnEngines(
  "clients that reset in their handshake are closed, and the server stops",
  async ({ name: engine }) => {
    let opened = 0;
    const codes: number[] = [];
    const server = serve({
      engine,
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) => void server.upgrade(request),
      websocket: {
        open: () => void opened++,
        close: (_, code) => void codes.push(code),
      },
    });
    // Of some the server never hears, perhaps of all of them.
    while (opened === 0) {
      await Promise.all(
        Array.from({ length: 50 }, () => shakeAndReset(server.port!)),
      );
    }
    while (codes.length < opened) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(codes, Array(opened).fill(1006));
    assertEquals(server.pendingWebSockets, 0);
    await server.stop();
  },
);
