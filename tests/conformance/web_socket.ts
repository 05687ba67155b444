/**
 * Helpers to write cases with WebSockets. They run in Deno and in Bun.
 *
 * @module
 */
import type {
  CaseApi,
  CaseOptions,
  CaseServer,
  ConformanceCase,
  RequestParts,
  Step,
} from "./case.ts";
import { request } from "./case.ts";

/** The part of a socket that cases use. */
export interface CaseSocket {
  data: unknown;
  readonly remoteAddress: string | undefined;
  readonly readyState: number;
  binaryType: string;
  readonly subscriptions: string[];
  readonly isPaused: boolean;
  send(data: unknown, compress?: boolean): number;
  sendText(data: unknown, compress?: boolean): number;
  sendBinary(data: unknown, compress?: boolean): number;
  publish(topic: string, data: unknown, compress?: boolean): number;
  publishText(topic: string, data: unknown, compress?: boolean): number;
  publishBinary(topic: string, data: unknown, compress?: boolean): number;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  isSubscribed(topic: string): boolean;
  cork(callback: (socket: CaseSocket) => unknown): unknown;
  ping(data?: unknown): number;
  pong(data?: unknown): number;
  close(code?: unknown, reason?: unknown): void;
  terminate(): void;
  getBufferedAmount(): number;
  pause(): void;
  resume(): void;
}

/** Handlers and limits of a case's sockets. */
export interface CaseWebSocket {
  open?(socket: CaseSocket): unknown;
  message?(socket: CaseSocket, message: CaseMessage): unknown;
  close?(socket: CaseSocket, code: number, reason: string): unknown;
  drain?(socket: CaseSocket): unknown;
  ping?(socket: CaseSocket, data: Uint8Array): unknown;
  pong?(socket: CaseSocket, data: Uint8Array): unknown;
  error?(error: Error, socket: CaseSocket): unknown;
  [option: string]: unknown;
}

/** A message as a handler receives it. */
export type CaseMessage = string | Uint8Array<ArrayBuffer>;

/** Options of a server that upgrades every request it can. */
export function sockets(
  websocket: CaseWebSocket,
  upgradeOptions?: unknown,
): CaseOptions {
  return {
    fetch: (request, server) =>
      server.upgrade(request, upgradeOptions)
        ? undefined
        : new Response("not upgraded", { status: 400 }),
    websocket,
  };
}

/** As {@linkcode sockets}; `serverOf` finds the server of a socket. */
export function socketsOfServer(websocket: CaseWebSocket): CaseOptions {
  return {
    fetch: (request, server) => {
      server.upgrade(request, { data: server });
    },
    websocket,
  };
}

/** The server of a socket of {@linkcode socketsOfServer}. */
export function serverOf({ data }: CaseSocket): CaseServer {
  return data as CaseServer;
}

/** Handlers that log what happens, besides those given. */
export function logging(
  { log }: CaseApi,
  websocket: CaseWebSocket = {},
): CaseWebSocket {
  return {
    message: (_, message) => log(describeMessage(message)),
    close: (_, code) => log(`close ${code}`),
    ...websocket,
  };
}

/** A message on one line. */
export function describeMessage(message: unknown): string {
  return typeof message === "string"
    ? `text ${message.slice(0, 40)}`
    : `binary ${Array.from(message as Uint8Array).slice(0, 40).join(" ")}`;
}

const HANDSHAKE_FIELDS: Record<string, string> = {
  "Upgrade": "websocket",
  "Connection": "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** The accept value for the key above: the example of RFC 6455. */
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The bytes of an opening handshake; `null` leaves a field out. */
export function handshake(
  fields: Record<string, string | string[] | null> = {},
  line = "GET /",
  parts: RequestParts = {},
): string {
  const headers: Record<string, string | string[]> = {};
  for (
    const [name, value] of Object.entries({ ...HANDSHAKE_FIELDS, ...fields })
  ) {
    if (value !== null) headers[name] = value;
  }
  return request(line, { ...parts, headers });
}

/** Connects a WebSocket. */
export function connect(connection = "first"): Step[] {
  return [
    { send: handshake(), connection },
    { receive: { status: 101 }, connection },
  ];
}

/** What a frame is besides its payload. */
export interface FrameParts {
  /** The last one of its message. Default: true. */
  final?: boolean;
  /** Default: true, as it must be. */
  masked?: boolean;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. Default: 0. */
  reserved?: number;
  /** Bytes that hold the length: 0, 2 or 8. Default: the shortest form. */
  lengthBytes?: 0 | 2 | 8;
}

/** Opcodes of RFC 6455, section 5.2. */
export const opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

const MASK = [0x37, 0xfa, 0x21, 0x3d];

/** The bytes of a client's frame. */
export function frame(
  code: number,
  payload: string | ArrayLike<number> = "",
  { final = true, masked = true, reserved = 0, lengthBytes }: FrameParts = {},
): Uint8Array<ArrayBuffer> {
  const content = typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : Uint8Array.from(payload);
  const { length } = content;
  const size = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const mark = size === 0 ? length : size === 2 ? 126 : 127;
  const head = [
    (final ? 0x80 : 0) | reserved << 4 | code,
    (masked ? 0x80 : 0) | mark,
    ...bigEndian(length, size),
    ...(masked ? MASK : []),
  ];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  for (let index = 0; index < length; index++) {
    bytes[head.length + index] = masked
      ? content[index]! ^ MASK[index % 4]!
      : content[index]!;
  }
  return bytes;
}

/** A whole text message. */
export function text(payload: string): Uint8Array<ArrayBuffer> {
  return frame(opcode.text, payload);
}

/** A whole binary message. */
export function binary(payload: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return frame(opcode.binary, payload);
}

/** A close frame; without a code an empty one. */
export function closing(code?: number, reason = ""): Uint8Array<ArrayBuffer> {
  if (code === undefined) return frame(opcode.close);
  return frame(opcode.close, [
    ...bigEndian(code, 2),
    ...new TextEncoder().encode(reason),
  ]);
}

/** Several frames, or a handshake and frames, in one write. */
export function together(
  ...parts: (string | Uint8Array)[]
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) =>
      Array.from(
        typeof part === "string" ? new TextEncoder().encode(part) : part,
      )
    ),
  );
}

/** Closes a connected socket as a client should. */
export function goodbye(connection = "first"): Step[] {
  return [
    { send: closing(1000), connection },
    { receiveFrame: { opcode: "close", code: 1000 }, connection },
    { closed: true, connection },
  ];
}

/** A case in which one client sends bytes once it is connected. */
export function talk(
  name: string,
  websocket: (api: CaseApi) => CaseWebSocket,
  exchange: (Step | Step[])[],
  rest: Partial<ConformanceCase> = {},
): ConformanceCase {
  return {
    name,
    server: (api) => sockets(websocket(api)),
    exchange: [connect(), ...exchange],
    ...rest,
  };
}

function bigEndian(value: number, size: number): number[] {
  return Array.from(
    { length: size },
    (_, index) => Math.floor(value / 256 ** (size - 1 - index)) % 256,
  );
}
