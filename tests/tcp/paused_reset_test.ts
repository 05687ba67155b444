/** Programs that read no faster than they can write, and peers that leave. */
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "../../src/tcp/socket_types.ts";
import { subjects } from "./engines.ts";

const CONNECTIONS = 20;

/** Echoes, and reads nothing while something waits. */
function flush(socket: Socket<Uint8Array[]>): void {
  const waiting = socket.data;
  while (waiting.length > 0) {
    const [first] = waiting;
    const taken = socket.write(first!);
    if (taken < first!.length) {
      waiting[0] = first!.subarray(Math.max(taken, 0));
      return socket.pause();
    }
    waiting.shift();
  }
  socket.resume();
}

for (const { listen, test } of subjects) {
  test("who pauses for a peer that was reset hears of it, once", async () => {
    const errors: (string | undefined)[] = [];
    const all = Promise.withResolvers<void>();
    using server = listen<Uint8Array[]>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void (socket.data = []),
        data(socket, bytes) {
          socket.data.push(bytes);
          flush(socket);
        },
        drain: flush,
        error() {},
        close(_, error) {
          errors.push((error as Error & { code?: string } | undefined)?.code);
          if (errors.length === CONNECTIONS) all.resolve();
        },
      },
    });
    const sent = new Uint8Array(4 << 20);
    for (let index = 0; index < CONNECTIONS; index++) {
      const client = connect(server.port, "127.0.0.1");
      await once(client, "connect");
      client.write(sent);
      client.once("data", () => client.resetAndDestroy());
      await once(client, "close");
    }
    await all.promise;
    // A turn in which a second one could be told.
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(errors, Array(CONNECTIONS).fill("ECONNRESET"));
  });
}
