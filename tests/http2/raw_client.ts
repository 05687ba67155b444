/**
 * A client for HTTP/2 that sends any frames it is told to, without TLS.
 *
 * @module
 */

/** Frame types (RFC 9113, section 6). */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

/** Frame flags. */
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;

/** Error codes (RFC 9113, section 7). */
export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const ENHANCE_YOUR_CALM = 11;

/** A frame. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The bytes of a frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** A 32-bit number. */
export function word(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

/** Header fields as HPACK literals, which change no tables (RFC 7541, 6.2.2). */
export function block(
  ...fields: readonly (readonly [string, string])[]
): number[] {
  const bytes: number[] = [];
  const text = (value: string) => {
    const { length } = value;
    if (length < 127) {
      bytes.push(length);
    } else {
      bytes.push(127);
      let rest = length - 127;
      for (; rest > 127; rest >>>= 7) bytes.push(rest & 127 | 128);
      bytes.push(rest);
    }
    for (let index = 0; index < length; index++) {
      bytes.push(value.charCodeAt(index));
    }
  };
  for (const [name, value] of fields) {
    bytes.push(0);
    text(name);
    text(value);
  }
  return bytes;
}

/** The fields that a request needs. */
export function request(
  path: string,
  method = "GET",
  authority = "127.0.0.1",
): [string, string][] {
  return [
    [":method", method],
    [":scheme", "http"],
    [":authority", authority],
    [":path", path],
  ];
}

/** A connection whose preface and settings were sent. */
export class RawClient implements AsyncDisposable {
  readonly #connection: Deno.Conn;
  readonly #frames: AsyncIterator<Frame>;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#frames = framesOf(connection);
  }

  static async connect(
    port: number,
    settings: readonly number[] = [],
  ): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const client = new RawClient(connection);
    await client.send(PREFACE, frame(SETTINGS, 0, 0, settings));
    return client;
  }

  /** Sends bytes, all of them. False if the server takes nothing any more. */
  async send(...pieces: readonly Uint8Array[]): Promise<boolean> {
    for (const piece of pieces) {
      for (let sent = 0; sent < piece.length;) {
        try {
          sent += await this.#connection.write(piece.subarray(sent));
        } catch {
          return false;
        }
      }
    }
    return true;
  }

  /** Sends a request without content. */
  async request(stream: number, ...fields: [string, string][]): Promise<void> {
    await this.send(
      frame(HEADERS, END_STREAM | END_HEADERS, stream, block(...fields)),
    );
  }

  /** The next frame, settings and their like excepted; undefined at the end. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const { value, done } = await this.#frames.next();
      if (done) return undefined;
      const isPassing = value.type === SETTINGS ||
        value.type === WINDOW_UPDATE && value.stream === 0;
      if (value.type === PING && (value.flags & ACK) === 0) {
        await this.send(frame(PING, ACK, 0, value.payload));
      } else if (!isPassing) return value;
    }
  }

  /** The next frame of a type. */
  async nextOf(type: number): Promise<Frame> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) throw new Error(`No frame of type ${type}`);
      if (frame.type === type) return frame;
    }
  }

  /** The error code that the server ends the connection with. */
  async end(): Promise<number | undefined> {
    let code: number | undefined;
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return code;
      if (frame.type === GOAWAY) code = codeOf(frame.payload, 4);
    }
  }

  /** How a stream ends: the code of its reset, or undefined. */
  async endOf(stream: number): Promise<number | undefined> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) throw new Error("The connection has ended");
      if (frame.type === GOAWAY) throw new Error("Sent away");
      if (frame.stream !== stream) continue;
      if (frame.type === RST_STREAM) return codeOf(frame.payload, 0);
      const isLast = (frame.flags & END_STREAM) !== 0;
      if (isLast && frame.type <= HEADERS) return undefined;
    }
  }

  /** Says that nothing more will be sent. */
  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#connection.close();
    } catch {
      // Closed already.
    }
    await this.#frames.return?.();
  }
}

/** The number at an offset. */
export function codeOf(payload: Uint8Array, at: number): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(at);
}

/** The status of a response, from its first field (RFC 7541, appendix A). */
export function statusOf({ payload }: Frame): number | undefined {
  const known = [200, 204, 206, 304, 400, 404, 500];
  return known[payload[0]! - 0x88];
}

async function* framesOf(connection: Deno.Conn): AsyncGenerator<Frame> {
  let unread = new Uint8Array(0);
  const chunk = new Uint8Array(64 * 1024);
  const fill = async (size: number): Promise<boolean> => {
    while (unread.length < size) {
      const count = await connection.read(chunk).catch(() => null);
      if (count === null) return false;
      const more = new Uint8Array(unread.length + count);
      more.set(unread);
      more.set(chunk.subarray(0, count), unread.length);
      unread = more;
    }
    return true;
  };
  while (await fill(9)) {
    const view = new DataView(unread.buffer, unread.byteOffset);
    const length = view.getUint32(0) >>> 8;
    const type = view.getUint8(3);
    const flags = view.getUint8(4);
    const stream = view.getUint32(5) & 0x7fff_ffff;
    if (!await fill(9 + length)) return;
    const payload = unread.slice(9, 9 + length);
    unread = unread.slice(9 + length);
    yield { type, flags, stream, payload };
  }
}
