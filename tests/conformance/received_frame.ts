/**
 * Reads WebSocket frames strictly, and compares them with what a case expects.
 *
 * @module
 */
import type { ExpectedFrame } from "./case.ts";
import { type Connection, ExchangeError, quote } from "./client.ts";

/** A frame as it came over the wire. */
export interface ReceivedFrame {
  opcode: ExpectedFrame["opcode"];
  payload: Uint8Array<ArrayBuffer>;
}

const OPCODES: Record<number, ExpectedFrame["opcode"]> = {
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

/** Reads one frame of a server: RFC 6455, section 5.2. */
export async function readFrame(
  connection: Connection,
): Promise<ReceivedFrame> {
  const [first = 0, second = 0] = await connection.bytes(2, "a frame");
  if ((first & 0x80) === 0) throw new ExchangeError("A fragment");
  if ((first & 0x70) !== 0) throw new ExchangeError("Reserved bits are set");
  if ((second & 0x80) !== 0) throw new ExchangeError("A masked frame");
  const opcode = OPCODES[first & 0x0f];
  if (opcode === undefined) {
    throw new ExchangeError(`Unknown opcode ${first & 0x0f}`);
  }
  const length = await readLength(connection, second);
  if (length > 125 && first >= 0x88) {
    throw new ExchangeError(`A control frame of ${length} bytes`);
  }
  const payload = await connection.bytes(
    length,
    `a payload of ${length} bytes`,
  );
  return { opcode, payload };
}

/** Throws an `ExchangeError` if a frame is not the expected one. */
export function checkFrame(
  { opcode, payload }: ReceivedFrame,
  expected: ExpectedFrame,
): void {
  const code = opcode === "close" && payload.length >= 2
    ? payload[0]! << 8 | payload[1]!
    : null;
  const content = opcode === "close" ? payload.subarray(2) : payload;
  const holds = opcode === expected.opcode &&
    (expected.code === undefined || expected.code === code) &&
    (expected.payload === undefined ||
      payloadHolds(content, expected.payload));
  if (holds) return;
  throw new ExchangeError(
    `Expected ${describe(expected.opcode, expected.code, expected.payload)}\n` +
      `got ${describe(opcode, code, content)}`,
  );
}

async function readLength(
  connection: Connection,
  second: number,
): Promise<number> {
  if (second < 126) return second;
  const size = second === 126 ? 2 : 8;
  let length = 0;
  for (const byte of await connection.bytes(size, "a length")) {
    length = length * 256 + byte;
  }
  if (length < (size === 2 ? 126 : 65_536)) {
    throw new ExchangeError(`The length ${length} is not in its shortest form`);
  }
  return length;
}

function payloadHolds(
  payload: Uint8Array,
  expected: string | Uint8Array | RegExp,
): boolean {
  if (expected instanceof RegExp) {
    return expected.test(new TextDecoder().decode(payload));
  }
  const wanted = typeof expected === "string"
    ? new TextEncoder().encode(expected)
    : expected;
  return wanted.length === payload.length &&
    wanted.every((byte, index) => byte === payload[index]);
}

function describe(
  opcode: string,
  code: number | null | undefined,
  payload: string | Uint8Array | RegExp | undefined,
): string {
  const text = payload instanceof Uint8Array
    ? quote(new TextDecoder().decode(payload))
    : String(payload);
  return `${opcode}${opcode === "close" ? ` ${code}` : ""} ${text}`;
}
