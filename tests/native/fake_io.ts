/**
 * An I/O thread's side of the contract, in JavaScript: it writes records as the
 * helper would, and reads what comes back.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { HttpHandler } from "../../src/engine/engine.ts";
import {
  COMMANDS_BYTES,
  COMMANDS_HEAD,
  COMMANDS_TAIL,
  EVENT_REQUEST,
  EVENTS_BYTES,
  EVENTS_HEAD,
  EVENTS_TAIL,
  IO_SLEEPS,
  METHOD_OTHER,
  NO_HOST,
  NO_SLOT,
  PAD,
  REGION_BYTES,
  REQUEST_CONTENT_COMPLETE,
  REQUEST_HAS_CONTENT,
  REQUEST_HOST_DEFINED,
  REQUEST_TARGET_DEFINED,
  REQUEST_UPGRADE,
  REQUEST_WORDS,
} from "../../src/engine/native/abi.ts";
import { IoMemory } from "../../src/engine/native/io_memory.ts";
import { type IoCalls, Pump } from "../../src/engine/native/pump.ts";
import { METHODS } from "../../src/engine/native/request_record.ts";

/** What JavaScript has written. */
export interface Command {
  kind: number;
  flags: number;
  connection: number;
  generation: number;
  words: Uint32Array;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A request as the fake tells it. What is left out is as in most requests. */
export interface FakeRequest {
  connection?: number;
  generation?: number;
  listener?: number;
  method?: string;
  target?: string;
  /** The slot that the target has; given without `target`, it was defined. */
  targetSlot?: number;
  host?: string | null;
  hostSlot?: number;
  headers?: [string, string][];
  content?: Uint8Array | string;
  /** More content is to come. */
  isIncomplete?: boolean;
  /** It asks for an upgrade. */
  isUpgrade?: boolean;
  address?: { family: 4 | 6; bytes: number[]; port: number };
}

/** The listener that requests are for unless they say otherwise. */
export const LISTENER = 1;

const encoder = new TextEncoder();

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Stands in for an I/O thread. */
export class FakeIo implements IoCalls {
  readonly memory: IoMemory = new IoMemory(new ArrayBuffer(REGION_BYTES));
  readonly pump: Pump;
  /** How often it was woken. */
  wakes = 0;
  /** How often its commands were to be carried out elsewhere. */
  helps = 0;
  /** Whether JavaScript may carry out commands with content. */
  mayPresent = false;
  /** The content of those that it has. */
  readonly presented: { connection: number; content: Uint8Array }[] = [];
  /** Content that was lent, by token. */
  readonly lent: Map<number, Uint8Array> = new Map();
  /** Request content that waits to be taken, by connection. */
  readonly contents: Map<number, Uint8Array> = new Map();
  #head: number;
  #tail: number;

  /** @param start Where both rings begin, so that it can be near their end. */
  constructor(start = 0) {
    const { control } = this.memory;
    for (
      const word of [EVENTS_HEAD, EVENTS_TAIL, COMMANDS_HEAD, COMMANDS_TAIL]
    ) control[word] = start;
    this.#head = start;
    this.#tail = start;
    this.pump = new Pump(this.memory, this);
  }

  help(): void {
    this.helps++;
  }

  wake(): void {
    this.wakes++;
    this.memory.control[IO_SLEEPS] = 0;
  }

  lendClient(): number {
    return 0;
  }

  /** Carries out commands by itself if it was told that it may. */
  present(
    connection: number,
    head: number,
    content: Uint8Array<ArrayBuffer>,
  ): boolean {
    if (!this.mayPresent) return false;
    this.presented.push({ connection, content: content.slice() });
    this.memory.control[COMMANDS_HEAD] = head;
    return true;
  }

  /** Nothing has arrived on TCP. */
  readTcp(): number {
    return -1;
  }

  lend(content: Uint8Array<ArrayBuffer>): number {
    const token = this.lent.size + 1;
    this.lent.set(token, content.slice());
    return token;
  }

  take(
    connection: number,
    _generation: number,
    target: Uint8Array<ArrayBuffer>,
  ): number {
    const content = this.contents.get(connection);
    if (content === undefined) return -2;
    const part = content.subarray(0, target.length);
    target.set(part);
    this.contents.set(connection, content.subarray(part.length));
    return part.length;
  }

  /** Nobody shows one. */
  peerCertificate(): undefined {}

  /** Answers requests with `handler`. */
  serve(handler: HttpHandler, isStopping = false): void {
    this.pump.listen(LISTENER, {
      handler,
      scheme: "http",
      authority: "127.0.0.1:80",
      maxRequestBodySize: 1000,
      isStopping,
      stopped: () => {},
    });
  }

  /** Tells of a request; it becomes the current one of its connection. */
  request(request: FakeRequest = {}): void {
    const { connection = 0, generation = 1 } = request;
    this.memory.generations[connection] = generation;
    const { flags, body } = encodeRequest(request);
    this.event(EVENT_REQUEST, body, { flags, connection, generation });
  }

  /** Writes and publishes a record; a number is its fifth word. */
  event(
    kind: number,
    body: Uint8Array | number = 0,
    { flags = 0, connection = 0, generation = 1 } = {},
  ): void {
    const bytes = typeof body === "number"
      ? new Uint8Array(Uint32Array.of(body).buffer)
      : body;
    const size = (16 + bytes.length + 15) & -16;
    const { control, eventWords, eventBytes } = this.memory;
    let start = this.#head & (EVENTS_BYTES - 1);
    if (start + size > EVENTS_BYTES) {
      const rest = EVENTS_BYTES - start;
      eventWords.set([rest, PAD], start >> 2);
      this.#head = (this.#head + rest) >>> 0;
      start = 0;
    }
    const record = [size, kind | flags << 8, connection, generation];
    eventWords.set(record, start >> 2);
    eventBytes.set(bytes, start + 16);
    this.#head = (this.#head + size) >>> 0;
    const used = (this.#head - control[EVENTS_TAIL]!) >>> 0;
    if (used > EVENTS_BYTES) throw new RangeError("The events ring is full");
    control[EVENTS_HEAD] = this.#head;
  }

  /** What was published since the last time; it is then read. */
  commands(): Command[] {
    const { control, commandWords, commandBytes } = this.memory;
    const commands: Command[] = [];
    while (this.#tail !== control[COMMANDS_HEAD]) {
      const start = this.#tail & (COMMANDS_BYTES - 1);
      const [size, kind, connection, generation] = commandWords.subarray(
        start >> 2,
      );
      this.#tail = (this.#tail + size!) >>> 0;
      if ((kind! & 0xff) === PAD) continue;
      const bytes = commandBytes.slice(start, start + size!);
      commands.push({
        kind: kind! & 0xff,
        flags: kind! >>> 8,
        connection: connection!,
        generation: generation!,
        words: new Uint32Array(bytes.buffer),
        bytes,
      });
    }
    control[COMMANDS_TAIL] = this.#tail;
    return commands;
  }

  /** Lets JavaScript handle what it was told of, and what follows from it. */
  async turn(): Promise<Command[]> {
    this.pump.wake();
    // Answers of async handlers, and of streams, take a while.
    for (let count = 0; count < 10; count++) {
      await new Promise<void>((resolve) => setImmediate(() => resolve()));
    }
    return this.commands();
  }

  /** Ends what the pump does between turns. */
  close(): void {
    this.pump.close();
  }
}

function encodeRequest(
  request: FakeRequest,
): { flags: number; body: Uint8Array } {
  const { method = "GET", headers = [], address } = request;
  const { target = request.targetSlot === undefined ? "/" : undefined } =
    request;
  const host = request.host === undefined && request.hostSlot === undefined
    ? "localhost"
    : request.host;
  const content = typeof request.content === "string"
    ? encoder.encode(request.content)
    : request.content ?? new Uint8Array(0);
  const number = Math.max(METHODS.indexOf(method), METHOD_OTHER);
  const hasContent = content.length > 0 || request.isIncomplete === true;
  const texts = [
    ...headers.flatMap(([name, value]) => [latin1(name), latin1(value)]),
    target === undefined ? latin1("") : encoder.encode(target),
    latin1(host ?? ""),
    latin1(number === METHOD_OTHER ? method : ""),
  ];
  const textsLength = texts.reduce((sum, { length }) => sum + length, 0);
  const start = (REQUEST_WORDS + headers.length) * 4;
  const contentStart = (start + textsLength + 7) & -8;
  const record = new Uint8Array(
    (contentStart + content.length + 3) & -4,
  );
  const words = new Uint32Array(record.buffer);
  words[4] = request.listener ?? LISTENER;
  words[5] = number === METHOD_OTHER
    ? METHOD_OTHER | method.length << 8
    : number;
  const targetLength = target === undefined ? 0 : encoder.encode(target).length;
  words[6] = (request.targetSlot ?? NO_SLOT) | targetLength << 16;
  words[7] = host === null
    ? NO_HOST
    : (request.hostSlot ?? NO_SLOT) | (host ?? "").length << 16;
  words[8] = headers.length;
  words[9] = headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  words[10] = content.length;
  if (address !== undefined) {
    words[13] = address.family | address.port << 16;
    record.set(address.bytes, 14 * 4);
  }
  headers.forEach(([name, value], index) => {
    words[REQUEST_WORDS + index] = name.length | value.length << 16;
  });
  let position = start;
  for (const text of texts) {
    record.set(text, position);
    position += text.length;
  }
  record.set(content, contentStart);
  const flags = (target === undefined ? 0 : REQUEST_TARGET_DEFINED) |
    (typeof host === "string" ? REQUEST_HOST_DEFINED : 0) |
    (hasContent ? REQUEST_HAS_CONTENT : 0) |
    (request.isUpgrade ? REQUEST_UPGRADE : 0) |
    (request.isIncomplete ? 0 : REQUEST_CONTENT_COMPLETE);
  // The first four words are written with the record.
  return { flags, body: record.subarray(16) };
}

/** A response command, taken apart. */
export interface SentResponse {
  status: number;
  type: number;
  lines: string;
  content: Uint8Array;
  text: string;
}

/** What a `COMMAND_RESPOND` without a token says. */
export function responseIn({ words, bytes }: Command): SentResponse {
  const lines = bytes.subarray(32, 32 + words[5]!);
  const content = bytes.subarray(32 + words[5]!, 32 + words[5]! + words[6]!);
  return {
    status: words[4]! & 0xffff,
    type: words[4]! >>> 16,
    lines: String.fromCharCode(...lines),
    content,
    text: new TextDecoder().decode(content),
  };
}
