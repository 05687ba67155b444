// Joins many small writes into one, with an ArrayBufferSink. The server sends
// every client a table of squares, cell by cell.
//
//   deno run -A examples/tcp_buffered.ts [port]
//   nc localhost 3000

import { ArrayBufferSink, listen, type Socket } from "@jstime/serve";

/** Collects what is written in one turn, and then writes it in one piece. */
class BufferedWriter {
  readonly #socket: Socket<BufferedWriter>;
  readonly #sink = new ArrayBufferSink();
  #scheduled = false;

  constructor(socket: Socket<BufferedWriter>) {
    this.#socket = socket;
    this.#sink.start({ stream: true, asUint8Array: true, highWaterMark: 1024 });
  }

  write(chunk: string | Uint8Array): void {
    this.#sink.write(chunk);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  flush(): void {
    const bytes = this.#sink.flush() as Uint8Array;
    const taken = this.#socket.write(bytes);
    this.#scheduled = false;
    if (taken === -1 || taken === bytes.length) return;
    // The socket is full. Put the rest back, and let `drain` flush it.
    this.#sink.write(bytes.subarray(taken));
    this.#scheduled = true;
  }
}

const server = listen<BufferedWriter>({
  hostname: "localhost",
  port: Number(Deno.args[0] ?? 3000),
  socket: {
    open(socket) {
      const writer = socket.data = new BufferedWriter(socket);
      for (let row = 1; row <= 100; row++) {
        for (const cell of [row, " x ", row, " = ", row * row, "\n"]) {
          writer.write(String(cell));
        }
      }
    },
    drain: (socket) => socket.data.flush(),
  },
});

console.log(`Listening on ${server.hostname}:${server.port}`);
