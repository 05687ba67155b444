/**
 * Clients for the tests of TLS. All connect to 127.0.0.1, whatever name they
 * ask for.
 *
 * @module
 */

import { connect } from "node:tls";
import { type CertificateName, certificateOf } from "./certificates.ts";

/** What a server chose in a handshake. */
export interface Handshake {
  /** Which certificate it has shown, by the common name. */
  readonly certificate: string;
  /** The application protocol (ALPN), if any. */
  readonly protocol: string | undefined;
}

/**
 * Shakes hands without verifying anything.
 *
 * @param serverName The name to ask for; empty to ask for none.
 */
export function shakeHands(
  port: number,
  serverName: string,
  ALPNProtocols: string[] = [],
): Promise<Handshake> {
  const { promise, resolve, reject } = Promise.withResolvers<Handshake>();
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: serverName,
    rejectUnauthorized: false,
    ALPNProtocols,
  }, () => {
    const { subject } = socket.getPeerCertificate();
    const protocol = socket.alpnProtocol || undefined;
    socket.on(
      "close",
      () => resolve({ certificate: String(subject.CN), protocol }),
    );
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}

/** Which certificate a server shows to clients that ask for a name. */
export async function shownCertificate(
  port: number,
  serverName: string,
): Promise<string> {
  return (await shakeHands(port, serverName)).certificate;
}

/** A connection for HTTP/1.1 that trusts one certificate only. */
export class HttpsConnection implements AsyncDisposable {
  readonly tls: Deno.TlsConn;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #unread = "";

  private constructor(tls: Deno.TlsConn) {
    this.tls = tls;
    this.#reader = tls.readable.getReader();
  }

  static async open(
    port: number,
    serverName = "first.test",
    trusted: CertificateName = "first",
  ): Promise<HttpsConnection> {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    const tls = await Deno.startTls(tcp, {
      hostname: serverName,
      caCerts: [certificateOf(trusted)],
    });
    try {
      await tls.handshake();
      return new HttpsConnection(tls);
    } catch (error) {
      tls.close();
      throw error;
    }
  }

  /** Sends bytes, all of them. */
  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.tls.write(bytes.subarray(sent));
    }
  }

  /** Requests a path and returns the content, which has a known length. */
  async get(path: string): Promise<string> {
    await this.send(`GET ${path} HTTP/1.1\r\nHost: first.test\r\n\r\n`);
    return await this.receive();
  }

  /** The content of the next response, which has a known length. */
  async receive(): Promise<string> {
    for (;;) {
      const head = this.#unread.indexOf("\r\n\r\n") + 4;
      const length = /^content-length: (\d+)\r$/im.exec(this.#unread)?.[1];
      const end = head + Number(length ?? 0);
      if (head > 3 && this.#unread.length >= end) {
        const content = this.#unread.slice(head, end);
        this.#unread = this.#unread.slice(end);
        return content;
      }
      if (!await this.#more()) throw new Error("The connection has ended");
    }
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    while (await this.#more()) {
      // Until the end.
    }
    return this.#unread;
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#unread += new TextDecoder("latin1").decode(value);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    try {
      this.tls.close();
    } catch {
      // Closed with its stream.
    }
  }
}

/** A client for `fetch` that trusts some certificates. */
export function httpClient(
  options: Deno.CreateHttpClientOptions = {},
  ...trusted: CertificateName[]
): Deno.HttpClient {
  const names = trusted.length === 0 ? ["first" as const] : trusted;
  return Deno.createHttpClient({
    caCerts: names.map(certificateOf),
    ...options,
  });
}

/** SHA-256 of what a stream has in it. */
export async function digest(
  chunks: AsyncIterable<Uint8Array>,
): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** Bytes that do not repeat soon, from a small generator. */
export async function* noise(
  length: number,
  chunk = 100_003,
): AsyncIterable<Uint8Array<ArrayBuffer>> {
  let state = 1;
  for (let left = length; left > 0; left -= chunk) {
    const bytes = new Uint8Array(Math.min(left, chunk));
    for (let index = 0; index < bytes.length; index++) {
      state = Math.imul(state, 1664525) + 1013904223 | 0;
      bytes[index] = state >>> 24;
    }
    yield bytes;
  }
}

/** Runs a program; undefined if there is none of that name. */
export async function run(
  program: string,
  ...args: string[]
): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
