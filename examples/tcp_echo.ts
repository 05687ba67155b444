// A TCP server that sends back what it receives, and copes with slow readers.
//
//   deno run -A examples/tcp_echo.ts [port]
//   nc localhost 3000

import { listen, type Socket } from "@jstime/serve";

/** What a client has sent and not got back yet. */
interface Echo {
  waiting: Uint8Array | undefined;
}

const server = listen<Echo>({
  hostname: "localhost",
  port: Number(Deno.args[0] ?? 3000),
  socket: {
    open(socket) {
      socket.data = { waiting: undefined };
      console.log(`${socket.remoteAddress} has come`);
    },
    data: send,
    drain(socket) {
      const { waiting } = socket.data;
      socket.data.waiting = undefined;
      if (waiting !== undefined) send(socket, waiting);
      if (socket.data.waiting === undefined) socket.resume();
    },
    close(socket, error) {
      console.log(`${socket.remoteAddress} has gone`, error?.message ?? "");
    },
    error(_socket, error) {
      console.error(error);
    },
  },
});

console.log(`Listening on ${server.hostname}:${server.port}`);

function send(socket: Socket<Echo>, bytes: Uint8Array): void {
  const taken = socket.write(bytes);
  if (taken === -1 || taken === bytes.length) return;
  // The client does not keep up: take no more from it until it does.
  socket.data.waiting = bytes.subarray(taken);
  socket.pause();
}
