/**
 * A WebSocket client that does as little as possible: it sends bytes made
 * beforehand, and counts those that come back.
 *
 * @module
 */

/** What is sent over and over. */
export interface WebSocketWorkload {
  /** Its name on the command line, and for the subjects. */
  readonly name: "echo-32" | "echo-16k" | "publish";
  /** Its name in the table. */
  readonly title: string;
  /** Bytes of a message; those up to 125 are text. */
  readonly size: number;
  /** How many are connected. */
  readonly clients: number;
  /** How many of them send. */
  readonly senders: number;
}

/** What came back. */
export interface WebSocketResult {
  /** Messages that clients received. */
  readonly deliveries: number;
  /** Seconds it took. */
  readonly seconds: number;
  /** 99th percentile of the time from sending to the last delivery, in ms. */
  readonly p99: number;
}

/** All workloads, in the order in which they are run. */
export const workloads: readonly WebSocketWorkload[] = [
  { name: "echo-32", title: "echo, 32 B", size: 32, clients: 64, senders: 64 },
  {
    name: "echo-16k",
    title: "echo, 16 KiB",
    size: 16 * 1024,
    clients: 64,
    senders: 64,
  },
  {
    name: "publish",
    title: "publish to 500, per delivery",
    size: 32,
    clients: 500,
    senders: 1,
  },
];

const HANDSHAKE = new TextEncoder().encode([
  "GET / HTTP/1.1",
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "\r\n",
].join("\r\n"));

/** Connected clients. */
export class WebSocketLoad {
  readonly #workload: WebSocketWorkload;
  readonly #clients: Deno.TcpConn[];
  readonly #buffer = new Uint8Array(256 * 1024);

  private constructor(workload: WebSocketWorkload, clients: Deno.TcpConn[]) {
    this.#workload = workload;
    this.#clients = clients;
  }

  /**
   * Connects all clients.
   *
   * @throws {Error} If the server does not speak WebSocket.
   */
  static async connect(
    workload: WebSocketWorkload,
    port: number,
  ): Promise<WebSocketLoad> {
    const clients: Deno.TcpConn[] = [];
    for (let index = 0; index < workload.clients; index++) {
      clients.push(await shakeHands(port));
    }
    return new WebSocketLoad(workload, clients);
  }

  /** Sends for some seconds. */
  async run(seconds: number): Promise<WebSocketResult> {
    const end = performance.now() + seconds * 1_000;
    const times: number[] = [];
    const { senders, clients } = this.#workload;
    const groups = this.#clients.slice(0, senders).map((sender, index) => ({
      sender,
      receivers: senders === clients ? [this.#clients[index]!] : this.#clients,
    }));
    const start = performance.now();
    const counts = await Promise.all(
      groups.map(({ sender, receivers }) =>
        this.#sendUntil(end, sender, receivers, times)
      ),
    );
    times.sort((a, b) => a - b);
    return {
      deliveries: counts.reduce((sum, count) => sum + count, 0),
      seconds: (performance.now() - start) / 1_000,
      p99: times[Math.floor(times.length * 0.99)] ?? NaN,
    };
  }

  /** Disconnects all clients. */
  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #sendUntil(
    end: number,
    sender: Deno.TcpConn,
    receivers: readonly Deno.TcpConn[],
    times: number[],
  ): Promise<number> {
    const { size } = this.#workload;
    const message = maskedFrame(size);
    const expected = size + headerLength(size);
    let deliveries = 0;
    while (true) {
      const before = performance.now();
      if (before >= end) return deliveries;
      let sent = 0;
      while (sent < message.length) {
        sent += await sender.write(message.subarray(sent));
      }
      for (const receiver of receivers) {
        let left = expected;
        while (left > 0) {
          // Nobody looks at the bytes, so all may share a buffer.
          const count = await receiver.read(this.#buffer.subarray(0, left));
          if (count === null) throw new Error("The server hung up");
          left -= count;
        }
      }
      deliveries += receivers.length;
      times.push(performance.now() - before);
    }
  }
}

async function shakeHands(port: number): Promise<Deno.TcpConn> {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  client.setNoDelay(true);
  await client.write(HANDSHAKE);
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const count = await client.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  if (!text.startsWith("HTTP/1.1 101 ")) {
    throw new Error(`The server does not speak WebSocket: ${text}`);
  }
  return client;
}

function headerLength(size: number): number {
  return size < 126 ? 2 : 4;
}

/** One message; masked with zeros, which is a mask like any other. */
function maskedFrame(size: number): Uint8Array<ArrayBuffer> {
  const header = headerLength(size);
  const frame = new Uint8Array(header + 4 + size);
  frame[0] = size < 126 ? 0x81 : 0x82;
  if (size < 126) {
    frame[1] = 0x80 | size;
  } else {
    frame.set([0x80 | 126, size >> 8, size & 0xff], 1);
  }
  frame.fill(0x61, header + 4);
  return frame;
}
