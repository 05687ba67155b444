/**
 * A client of raw bytes over TCP that reads responses strictly: whatever a
 * proxy in between might read differently is an error here.
 *
 * @module
 */
import type { Payload, ReceivedResponse } from "./case.ts";
import { valuesOf } from "./headers.ts";

/** Generous, so that only a hang ever meets it. Milliseconds. */
const DEADLINE = 20_000;

const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/;
const CHUNK_SIZE = /^[0-9A-Fa-f]{1,8}$/;

/** What came back breaks the protocol or is not what was expected. */
export class ExchangeError extends Error {
  override name = "ExchangeError";
}

/** Rejects with an `ExchangeError` when `promise` takes too long. */
export async function withDeadline<T>(
  promise: Promise<T>,
  what: string,
  milliseconds = DEADLINE,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ExchangeError(`Gave up waiting for ${what}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One TCP connection to the server under test. */
export class Connection {
  readonly #tcp: Deno.TcpConn;
  #unread = new Uint8Array(0);
  #ended = false;

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  /** Connects to a port of this machine. */
  static async open(port: number): Promise<Connection> {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    tcp.setNoDelay(true);
    return new Connection(tcp);
  }

  /** Writes everything; a server that has already hung up is not an error. */
  async send(payload: Payload): Promise<void> {
    let bytes = toBytes(payload);
    try {
      while (bytes.length > 0) {
        const written = await withDeadline(
          this.#tcp.write(bytes),
          "the server to read",
        );
        bytes = bytes.subarray(written);
      }
    } catch (error) {
      if (error instanceof ExchangeError) throw error;
    }
  }

  /** Reads exactly one response. `head`: it answers a HEAD request. */
  async response(head = false): Promise<ReceivedResponse> {
    const statusLine = await this.#line("a status line");
    const match = STATUS_LINE.exec(statusLine);
    if (match === null) {
      throw new ExchangeError(`Malformed status line: ${quote(statusLine)}`);
    }
    const headers = await this.#fields();
    const status = Number(match[2]);
    const response: ReceivedResponse = {
      version: match[1]!,
      status,
      reason: match[3]!,
      headers,
      body: new Uint8Array(0),
      framing: framingOf(status, headers, head),
      truncated: false,
    };
    await this.#body(response);
    return response;
  }

  /** Reads exactly this many bytes. */
  async bytes(length: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#unread.length < length) {
      if (!await this.#fill(what)) throw new Ended(what);
    }
    return this.#take(length);
  }

  /** Waits for the end of the connection; further bytes are an error. */
  async closed(): Promise<void> {
    while (await this.#fill("the server to close the connection"));
    if (this.#unread.length > 0) {
      throw new ExchangeError(
        `Expected nothing more before the connection closes, got ${
          quote(decode(this.#unread))
        }`,
      );
    }
  }

  /** Says that nothing more will be sent, and goes on reading. */
  async halfClose(): Promise<void> {
    await this.#tcp.closeWrite();
  }

  /** Closes the connection; a second call does nothing. */
  close(): void {
    try {
      this.#tcp.close();
    } catch {
      // Already closed.
    }
  }

  async #body(response: ReceivedResponse): Promise<void> {
    if (response.framing === "none") return;
    if (response.framing === "chunked") return await this.#chunks(response);
    if (response.framing === "close") {
      while (await this.#fill("the body to end"));
      response.body = this.#take(this.#unread.length);
      return;
    }
    const length = Number(valuesOf(response.headers, "content-length")[0]);
    while (this.#unread.length < length) {
      if (!await this.#fill(`${length} bytes of body`)) {
        response.truncated = true;
        break;
      }
    }
    response.body = this.#take(Math.min(length, this.#unread.length));
  }

  async #chunks(response: ReceivedResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    try {
      while (true) {
        const sizeLine = await this.#line("a chunk size");
        if (!CHUNK_SIZE.test(sizeLine)) {
          throw new ExchangeError(`Malformed chunk size: ${quote(sizeLine)}`);
        }
        const size = parseInt(sizeLine, 16);
        if (size === 0) {
          const trailers = await this.#fields();
          if (trailers.length > 0) {
            throw new ExchangeError("Unexpected trailer fields");
          }
          break;
        }
        while (this.#unread.length < size) {
          if (!await this.#fill("a chunk")) {
            chunks.push(this.#take(this.#unread.length));
            throw new Ended("a chunk");
          }
        }
        chunks.push(this.#take(size));
        if (await this.#line("the end of a chunk") !== "") {
          throw new ExchangeError("Expected CRLF after a chunk");
        }
      }
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      response.truncated = true;
    }
    response.body = concat(chunks);
  }

  async #fields(): Promise<[string, string][]> {
    const fields: [string, string][] = [];
    while (true) {
      const line = await this.#line("a field line");
      if (line === "") return fields;
      const match = FIELD_LINE.exec(line);
      if (match === null) {
        throw new ExchangeError(`Malformed field line: ${quote(line)}`);
      }
      fields.push([match[1]!.toLowerCase(), match[2] ?? ""]);
    }
  }

  async #line(what: string): Promise<string> {
    let searched = 0;
    while (true) {
      const end = this.#unread.indexOf(10, searched);
      if (end > 0 && this.#unread[end - 1] === 13) {
        return decodeLatin1(this.#take(end + 1).subarray(0, -2));
      }
      if (end !== -1) throw new ExchangeError(`Bare LF in ${what}`);
      searched = this.#unread.length;
      if (!await this.#fill(what)) throw new Ended(what);
    }
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#unread.slice(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  /** Reads more; false when the connection has ended. */
  async #fill(what: string): Promise<boolean> {
    if (this.#ended) return false;
    const buffer = new Uint8Array(65_536);
    const reading = this.#tcp.read(buffer).catch((error) => {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      if (error instanceof Deno.errors.BadResource) return null;
      if (error instanceof Deno.errors.Interrupted) return null;
      throw error;
    });
    let count: number | null;
    try {
      count = await withDeadline(reading, what);
    } catch (error) {
      this.close();
      await reading;
      if (error instanceof ExchangeError && this.#unread.length > 0) {
        error.message += `, having ${quote(decode(this.#unread))}`;
      }
      throw error;
    }
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.#unread = concat([this.#unread, buffer.subarray(0, count)]);
    return true;
  }
}

/** The connection ended in the middle of something. */
class Ended extends ExchangeError {
  constructor(what: string) {
    super(`The connection ended before ${what}`);
  }
}

/** How the body ends (RFC 9112 section 6.3), refusing what is ambiguous. */
function framingOf(
  status: number,
  headers: readonly (readonly [string, string])[],
  head: boolean,
): ReceivedResponse["framing"] {
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (lengths.length > 1) throw new ExchangeError("Repeated Content-Length");
  const [length] = lengths;
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    throw new ExchangeError(`Malformed Content-Length: ${quote(length)}`);
  }
  if (codings.length > 0 && codings.join() !== "chunked") {
    throw new ExchangeError(`Unknown coding: ${quote(codings.join())}`);
  }
  if (lengths.length > 0 && codings.length > 0) {
    throw new ExchangeError("Both Content-Length and Transfer-Encoding");
  }
  if (status < 200 || status === 204) {
    if (lengths.length > 0 || codings.length > 0) {
      throw new ExchangeError(`Framing fields on status ${status}`);
    }
    return "none";
  }
  if (head || status === 304) return "none";
  if (codings.length > 0) return "chunked";
  return lengths.length > 0 ? "length" : "close";
}

function toBytes(payload: Payload): Uint8Array {
  return typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : payload;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((total, part) => total + part.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** True ISO 8859-1, which `TextDecoder("latin1")` is not. */
function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** `text` as it may stand in a message: quoted, escaped, and short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 300 ? text.slice(0, 300) + "…" : text);
}
