import { Duplex } from "node:stream";
import { connect } from "node:tls";
import { records } from "./client_hello.ts";

/** Sends all bytes. */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** Handshake bytes whose first record became many, with a byte in each. */
export function inBytes(bytes: Uint8Array): Uint8Array {
  const end = 5 + (bytes[3]! << 8 | bytes[4]!);
  return Uint8Array.from([
    ...records(Array.from(bytes.subarray(5, end)), 1),
    ...bytes.subarray(end),
  ]);
}

/**
 * Sends text over TLS, and returns the first bytes that come back. The client
 * asks for `a.test`, and verifies nothing.
 *
 * @param send Sends what TLS makes of it, however it likes.
 */
export async function exchange(
  port: number,
  text: string,
  send: (conn: Deno.Conn, bytes: Uint8Array) => Promise<void> = writeAll,
): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay();
  const ciphertext = new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      send(conn, bytes).then(() => done(), done);
    },
  });
  const client = connect({
    socket: ciphertext,
    servername: "a.test",
    rejectUnauthorized: false,
  });
  const reading = receive(conn, ciphertext);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  client.on("secureConnect", () => client.write(text));
  client.on("data", (data) => resolve(String(data)));
  client.on("error", reject);
  client.on("close", () => reject(new Error("Nothing came back")));
  try {
    return await promise;
  } finally {
    client.destroy();
    ciphertext.destroy();
    conn.close();
    await reading;
  }
}

async function receive(conn: Deno.Conn, ciphertext: Duplex): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  for (;;) {
    const count = await conn.read(buffer).catch(() => null);
    ciphertext.push(count === null ? null : buffer.slice(0, count));
    if (count === null) return;
  }
}
