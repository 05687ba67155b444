/**
 * WebSocket clients of which one can have thousands, and that one can cut at
 * any byte.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { frame, handshake, opcode } from "../conformance/web_socket.ts";
import type { HostileProgram } from "./program.ts";

/** Generous, so that only a hang ever meets it. Milliseconds. */
const DEADLINE = 60_000;

/** What the server of `programs/web_sockets.ts` has counted. */
export interface Counts {
  /** Sockets that were opened. */
  readonly opened: number;
  /** Sockets that were closed. */
  readonly closed: number;
  /** Messages received. */
  readonly messages: number;
  /** Their lengths together. */
  readonly bytes: number;
  /** Messages published. */
  readonly published: number;
  /** How often a socket was closed with a code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Subscribers of the news. */
  readonly subscribers: number;
  /** Open sockets. */
  readonly sockets: number;
}

/** Asks a server what it has counted. */
export async function countsOf(program: HostileProgram): Promise<Counts> {
  return JSON.parse(await program.get("/counts"));
}

/** A client that answers pings, and counts what it receives. */
export class Member {
  readonly #socket: Socket;
  readonly #wake: Set<() => void> = new Set();
  #unread: Buffer = Buffer.alloc(0);
  #isOpen = false;
  /** Payloads of the messages received. */
  readonly messages: string[] = [];
  /** Payloads of the pongs received. */
  readonly pongs: string[] = [];
  /** Pings received. */
  pings = 0;
  /** The code of the close frame received. */
  code: number | undefined;
  /** Whether the connection is over. */
  isOver = false;

  private constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes) => this.#receive(bytes));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.isOver = true;
      this.#woken();
    });
  }

  /** Connects and shakes hands. */
  static async connect(
    port: number,
    path = "/echo",
    fields: Record<string, string> = {},
  ): Promise<Member> {
    const member = new Member(port);
    member.#socket.write(handshake(fields, `GET ${path}`));
    await member.until("the handshake", () => member.#isOpen || member.isOver);
    if (!member.#isOpen) throw new Error("Refused");
    return member;
  }

  /** Sends bytes. */
  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Resets the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Hangs up without a word. */
  hangUp(): void {
    this.#socket.destroy();
  }

  /** Waits until something holds, which is looked at when bytes come. */
  async until(what: string, holds: () => boolean): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#woken();
    }, DEADLINE);
    while (!holds()) {
      if (isLate) throw new Error(`Gave up waiting for ${what}`);
      await new Promise<void>((resolve) => this.#wake.add(resolve));
    }
    clearTimeout(timer);
  }

  #receive(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0
      ? bytes
      : Buffer.concat([this.#unread, bytes]);
    if (!this.#isOpen) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#unread.toString("latin1").startsWith("HTTP/1.1 101 ")) {
        this.#socket.destroy();
        return;
      }
      this.#isOpen = true;
      this.#unread = this.#unread.subarray(end + 4);
    }
    while (this.#takeFrame());
    this.#woken();
  }

  /** Takes a frame of those that a server sends: whole, and not masked. */
  #takeFrame(): boolean {
    const unread = this.#unread;
    if (unread.length < 2) return false;
    let length = unread[1]!;
    let head = 2;
    if (length === 126 && unread.length >= (head = 4)) {
      length = unread.readUInt16BE(2);
    } else if (length === 127 && unread.length >= (head = 10)) {
      length = Number(unread.readBigUInt64BE(2));
    }
    if (unread.length < head + length) return false;
    const payload = unread.subarray(head, head + length);
    this.#unread = unread.subarray(head + length);
    this.#take(unread[0]! & 15, payload);
    return true;
  }

  #take(code: number, payload: Buffer): void {
    if (code === opcode.ping) {
      this.pings++;
      this.send(frame(opcode.pong, payload));
    } else if (code === opcode.pong) {
      this.pongs.push(payload.toString());
    } else if (code === opcode.close) {
      this.code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    } else {
      this.messages.push(payload.toString());
    }
  }

  #woken(): void {
    const waiting = [...this.#wake];
    this.#wake.clear();
    for (const wake of waiting) wake();
  }
}

/** Connects clients, some at a time. */
export async function connectCrowd(
  port: number,
  size: number,
  path?: string,
  fields?: Record<string, string>,
): Promise<Member[]> {
  const members: Member[] = [];
  while (members.length < size) {
    const wave = Math.min(100, size - members.length);
    members.push(
      ...await Promise.all(
        Array.from(
          { length: wave },
          () => Member.connect(port, path, fields),
        ),
      ),
    );
  }
  return members;
}
