/**
 * A million requests and more.
 *
 * @module
 */
import { type EngineName, HostileProgram, usageOf } from "../program.ts";

const CONNECTIONS = 16;
const ROUND = 100;
/** Memory may grow by this much after the first fifth, in bytes. */
const ALLOWED = 16 * 1024 * 1024;

const requests = new TextEncoder().encode(
  [
    "GET /number/12345 HTTP/1.1\r\nHost: a\r\nX-Filler: 0123456789\r\n\r\n",
    "GET /static HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
  ].join("").repeat(ROUND / 5),
);

/** Counts statuses in what a connection received, cut anywhere. */
class StatusCounter {
  readonly #wanted = new TextEncoder().encode("HTTP/1.1 200 ");
  #matched = 0;
  count = 0;

  add(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === this.#wanted[this.#matched]) {
        if (++this.#matched === this.#wanted.length) {
          this.count++;
          this.#matched = 0;
        }
      } else {
        this.#matched = byte === this.#wanted[0] ? 1 : 0;
      }
    }
  }
}

/** Sends requests to a server and tells whether its memory stayed flat. */
export async function soakRequests(
  engine: EngineName,
  total: number,
): Promise<boolean> {
  await using program = await HostileProgram.start("server", engine);
  await program.get("/static");
  let answered = 0;

  async function client(): Promise<void> {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: program.port,
    });
    connection.setNoDelay(true);
    const buffer = new Uint8Array(65_536);
    while (answered < total) {
      const counter = new StatusCounter();
      await connection.write(requests);
      while (counter.count < ROUND) {
        const count = await connection.read(buffer);
        if (count === null) throw new Error("The server closed the connection");
        counter.add(buffer.subarray(0, count));
      }
      answered += ROUND;
    }
  }

  const clients = Promise.all(Array.from({ length: CONNECTIONS }, client));
  let first: number | undefined;
  const watch = setInterval(() => {
    const { memory, descriptors, threads } = usageOf(program.pid);
    if (first === undefined && answered > total / 5) first = memory;
    console.log(
      `${answered} answered, ${
        (memory / 2 ** 20).toFixed(1)
      } MiB, ${descriptors} descriptors, ${threads} threads`,
    );
  }, 2_000);
  await clients;
  clearInterval(watch);
  const last = program.usage().memory;
  const grown = last - (first ?? last);
  console.log(`${answered} answered, ${grown} bytes more than after a fifth`);
  return grown <= ALLOWED;
}
