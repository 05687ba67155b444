// TCP echo with node:net.
import { createServer } from "node:net";

/** Echoes, with backpressure. */
export function serve() {
  return createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (socket.write(bytes)) return;
      socket.pause();
      socket.once("drain", () => socket.resume());
    });
  });
}
