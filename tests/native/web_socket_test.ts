/**
 * JavaScript's side of WebSockets against an I/O thread that is none.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type {
  EngineWebSocket,
  Exchange,
  WebSocketPlan,
} from "../../src/engine/engine.ts";
import {
  COMMAND_CLOSE,
  COMMAND_PAUSE,
  COMMAND_RESPOND,
  COMMAND_RESUME,
  COMMAND_SEND,
  COMMAND_SEND_MANY,
  COMMAND_SUBSCRIBE,
  COMMAND_TERMINATE,
  COMMAND_UNSUBSCRIBE,
  COMMAND_UPGRADE,
  EVENT_CLOSED,
  EVENT_DRAIN,
  EVENT_GONE,
  EVENT_MESSAGE,
  EVENT_PING,
  EVENT_PONG,
  EVENTS_BYTES,
  IO_SLEEPS,
  MESSAGE_TEXT,
  MESSAGE_WAITS,
  RESPOND_CONTENT_TOKEN,
  SEND_COMPRESSED,
  SEND_DROP_OLDEST,
  SEND_LATEST,
  SEND_PING,
  SEND_PONG,
  SEND_TEXT,
  UPGRADE_CLOSE_ON_LIMIT,
  UPGRADE_DEFLATE,
  UPGRADE_SEND_PINGS,
} from "../../src/engine/native/abi.ts";
import { broadcast } from "../../src/engine/native/broadcast.ts";
import { topicKey } from "../../src/engine/native/topic_key.ts";
import { NativeWebSocket } from "../../src/engine/native/web_socket.ts";
import type { EventBatch } from "../../src/engine/native/event_reader.ts";
import { type Command, FakeIo } from "./fake_io.ts";

const MEBIBYTE = 1024 * 1024;

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const PLAN: WebSocketPlan = {
  maxPayloadLength: 1000,
  backpressureLimit: 0,
  closeOnBackpressureLimit: false,
  idleTimeout: 120,
  sendPings: false,
  deflate: undefined,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A message as the log shows it. */
function show(data: string | ArrayBuffer): string {
  return typeof data === "string" ? data : `[${new Uint8Array(data)}]`;
}

/** An I/O thread all of whose requests become WebSockets. */
class SocketIo extends FakeIo {
  readonly log: string[] = [];
  readonly sockets: EngineWebSocket[] = [];
  /** Called with every message. */
  onMessage: (socket: EngineWebSocket, data: string | ArrayBuffer) => void =
    () => {};
  /** Called with every socket that has caught up. */
  onDrain: (socket: EngineWebSocket) => void = () => {};
  /** Called with every socket that is over. */
  onClosed: (socket: EngineWebSocket) => void = () => {};

  constructor(start?: number) {
    super(start);
    this.serve((_, exchange) => {
      this.upgrade(exchange);
      return new Response("not sent");
    });
  }

  upgrade(
    exchange: Exchange,
    plan: WebSocketPlan = this.plan,
    headers: Headers = new Headers(),
  ): EngineWebSocket | undefined {
    const socket = exchange.upgrade(plan, headers, {
      message: (socket, data) => {
        this.log.push(`message ${show(data)}`);
        this.onMessage(socket, data);
      },
      ping: (_, data) => void this.log.push(`ping ${show(data)}`),
      pong: (_, data) => void this.log.push(`pong ${show(data)}`),
      drain: (socket) => {
        this.log.push(`drain ${socket.bufferedAmount}`);
        this.onDrain(socket);
      },
      closed: (socket, code, reason) => {
        this.log.push(`closed ${code} ${reason}`);
        this.onClosed(socket);
      },
    });
    if (socket !== undefined) this.sockets.push(socket);
    return socket;
  }

  /** What sockets are made with. */
  plan: WebSocketPlan = PLAN;

  /** A socket on a connection; what made it one is read already. */
  open(connection = 0, plan: Partial<WebSocketPlan> = {}): EngineWebSocket {
    this.plan = { ...PLAN, ...plan };
    this.ask({ connection });
    this.pump.wake();
    this.commands();
    return this.sockets.at(-1)!;
  }

  ask({ connection = 0, generation = 1 } = {}): void {
    const headers: [string, string][] = [["sec-websocket-key", KEY]];
    this.request({ connection, generation, headers, isUpgrade: true });
  }

  message(
    data: string | Uint8Array,
    { connection = 0, generation = 1, waits = false } = {},
  ): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    const flags = (typeof data === "string" ? MESSAGE_TEXT : 0) |
      (waits ? MESSAGE_WAITS : 0);
    if (waits) this.contents.set(connection, bytes);
    const body = new Uint8Array(4 + (waits ? 0 : bytes.length));
    new DataView(body.buffer).setUint32(0, bytes.length, true);
    if (!waits) body.set(bytes, 4);
    this.event(EVENT_MESSAGE, body, { flags, connection, generation });
  }

  control(kind: number, data: string): void {
    const bytes = encoder.encode(data);
    this.event(kind, Uint8Array.of(bytes.length, 0, 0, 0, ...bytes));
  }

  closed(code: number, reason: string, { connection = 0 } = {}): void {
    const bytes = encoder.encode(reason);
    const words = Uint32Array.of(code, bytes.length);
    const body = new Uint8Array([...new Uint8Array(words.buffer), ...bytes]);
    this.event(EVENT_CLOSED, body, { connection });
  }

  /** The I/O thread has written so many bytes more. */
  wrote(size: number, connection = 0): void {
    this.memory.delivered[connection]! += size;
  }

  setSlow(isSlow: boolean, connection = 0): void {
    this.memory.blocked[connection] = isSlow ? 1 : 0;
  }
}

async function withIo(
  use: (io: SocketIo) => Promise<void> | void,
  start?: number,
): Promise<void> {
  const io = new SocketIo(start);
  try {
    await use(io);
  } finally {
    io.close();
  }
}

/** The payload of a command that sends. */
function payloadOf(
  io: FakeIo,
  { kind, flags, words, bytes }: Command,
): Uint8Array {
  const length = words[4]!;
  if ((flags & RESPOND_CONTENT_TOKEN) !== 0) return io.lent.get(words[5]!)!;
  const start = kind === COMMAND_SEND ? 24 : 28 + words[6]! * 8;
  return bytes.subarray(start, start + length);
}

/** Who is sent to: connection and generation of each. */
function receiversOf({ words }: Command): [number, number][] {
  return Array.from(
    { length: words[6]! },
    (_, index) => [words[7 + index * 2]!, words[8 + index * 2]!],
  );
}

// Upgrading

Deno.test("an upgrade says all that the I/O thread needs to know", () =>
  withIo((io) => {
    io.serve((_, exchange) => {
      const plan: WebSocketPlan = {
        maxPayloadLength: 2 ** 32 - 1,
        backpressureLimit: 77,
        closeOnBackpressureLimit: true,
        idleTimeout: 960,
        sendPings: true,
        deflate: { compress: 4096, decompress: "shared" },
      };
      io.upgrade(exchange, plan, new Headers([["x-a", "é"], ["x-b", "2"]]));
      return new Response("not sent");
    });
    io.request({
      connection: 9,
      generation: 4,
      isUpgrade: true,
      headers: [
        ["sec-websocket-extensions", "permessage-deflate"],
        ["sec-websocket-key", KEY],
        ["sec-websocket-extensions", "other"],
      ],
    });
    io.pump.wake();
    const [command, ...rest] = io.commands();
    assertEquals(rest, []);
    const { kind, flags, connection, generation, words, bytes } = command!;
    assertEquals([kind, connection, generation], [COMMAND_UPGRADE, 9, 4]);
    assertEquals(
      flags,
      UPGRADE_CLOSE_ON_LIMIT | UPGRADE_SEND_PINGS | UPGRADE_DEFLATE,
    );
    const lines = "x-a: é\r\nx-b: 2\r\n";
    const offer = "permessage-deflate, other";
    assertEquals([...words.subarray(4, 12)], [
      ...[lines.length, KEY.length, offer.length],
      ...[2 ** 32 - 1, 77, 960_000, 4096, 1],
    ]);
    const text = String.fromCharCode(...bytes.subarray(48));
    assertEquals(text.replace(/\0*$/, ""), lines + KEY + offer);
  }));

Deno.test("compression that is not wanted", () =>
  withIo((io) => {
    io.ask();
    io.pump.wake();
    const [{ flags, words }] = io.commands() as [Command];
    assertEquals(flags, 0);
    assertEquals([...words.subarray(10, 12)], [0, 1]);
  }));

Deno.test("one direction can do without compression", () =>
  withIo((io) => {
    io.plan = { ...PLAN, deflate: { compress: "disable", decompress: 8192 } };
    io.ask();
    io.pump.wake();
    const [{ words }] = io.commands() as [Command];
    assertEquals([...words.subarray(10, 12)], [0, 8192]);
  }));

Deno.test("what did not ask for an upgrade gets none", () =>
  withIo((io) => {
    io.request({ headers: [["sec-websocket-key", KEY]] });
    io.request({ connection: 1, isUpgrade: true });
    io.pump.wake();
    assertEquals(io.commands().map(({ kind }) => kind), [
      COMMAND_RESPOND,
      COMMAND_RESPOND,
    ]);
    assertEquals(io.sockets, []);
  }));

Deno.test("headers without end are refused", () =>
  withIo((io) => {
    io.serve((_, exchange) => {
      const headers = new Headers({ "x-a": "b".repeat(1_000_000) });
      assertEquals(io.upgrade(exchange, PLAN, headers), undefined);
      assertEquals(exchange.answered, false);
      return new Response("");
    });
    io.ask();
    io.pump.wake();
    assertEquals(io.commands().map(({ kind }) => kind), [COMMAND_RESPOND]);
  }));

Deno.test("an exchange is upgraded once, and not after an answer", () =>
  withIo(async (io) => {
    const results: unknown[] = [];
    io.serve((_, exchange) => {
      results.push(io.upgrade(exchange) !== undefined, exchange.answered);
      results.push(io.upgrade(exchange));
      exchange.answerNow(new Response("no"));
      return new Response("no");
    });
    io.ask();
    assertEquals((await io.turn()).map(({ kind }) => kind), [COMMAND_UPGRADE]);
    io.serve((_, exchange) => {
      exchange.answerNow(new Response("no"));
      results.push(io.upgrade(exchange));
      return new Response("no");
    });
    io.ask({ connection: 1 });
    assertEquals((await io.turn()).map(({ kind }) => kind), [COMMAND_RESPOND]);
    assertEquals(results, [true, true, undefined, undefined]);
  }));

Deno.test("a listener that stops upgrades nobody", () =>
  withIo(async (io) => {
    io.serve((_, exchange) => {
      assertEquals(io.upgrade(exchange), undefined);
      return new Response("");
    }, true);
    io.ask();
    assertEquals((await io.turn()).map(({ kind }) => kind), [COMMAND_RESPOND]);
  }));

Deno.test("async handlers can upgrade, before and after they wait", () =>
  withIo(async (io) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    io.serve(async (_, exchange) => {
      if (io.sockets.length > 0) await promise;
      io.upgrade(exchange);
      await promise;
      return new Response("not sent");
    });
    io.ask();
    io.ask({ connection: 1 });
    io.pump.wake();
    io.message("a");
    await io.turn();
    resolve();
    await io.turn();
    io.message("b", { connection: 1 });
    io.message("c");
    assertEquals(await io.turn(), []);
    assertEquals(io.log, ["message a", "message b", "message c"]);
  }));

Deno.test("a request can be read for as long as its socket lives", () =>
  withIo(async (io) => {
    let request: Request | undefined;
    io.serve((it, exchange) => {
      request = it;
      assertEquals(it.headers.get("x-a"), "b");
      io.upgrade(exchange);
      // What others have sent is not kept with it.
      const { batch } = exchange as unknown as { batch: EventBatch };
      assert(batch.bytes.length < 512, `${batch.bytes.length} bytes`);
      return new Response("");
    });
    io.request({
      target: "/path",
      headers: [["sec-websocket-key", KEY], ["x-a", "b"]],
      isUpgrade: true,
    });
    io.pump.wake();
    for (let index = 0; index < 5; index++) {
      io.message(new Uint8Array(30_000), { connection: 5 });
      await io.turn();
    }
    assertEquals(request!.url, "http://localhost/path");
    assertEquals(request!.headers.get("x-a"), "b");
    assertEquals(request!.method, "GET");
  }));

// Receiving

Deno.test("messages arrive as they were sent, in order", () =>
  withIo(async (io) => {
    io.open();
    for (const text of ["", "a", "é€🫖", "\ufeffbom", "a\0b", "x".repeat(90)]) {
      io.message(text);
    }
    io.message(Uint8Array.of());
    io.message(Uint8Array.of(1, 2, 255));
    assertEquals(await io.turn(), []);
    assertEquals(io.log, [
      ...["message ", "message a", "message é€🫖", "message \ufeffbom"],
      ...["message a\0b", `message ${"x".repeat(90)}`],
      ...["message []", "message [1,2,255]"],
    ]);
  }));

Deno.test("long messages, short ones between them, all over the ring", async () => {
  for (const start of [0, EVENTS_BYTES - 4096, 2 ** 32 - 16]) {
    await withIo(async (io) => {
      const seen: (string | ArrayBuffer)[] = [];
      io.onMessage = (_, data) => void seen.push(data);
      io.open();
      const sent: (string | Uint8Array)[] = [];
      for (let round = 0; round < 8; round++) {
        for (const size of [1, 500, 600, 2000, 2100, 20_000, 32_768]) {
          const text = `${round}é`.padEnd(size, "\ufeffü€🫖").slice(
            0,
            size / 4,
          );
          sent.push(text, encoder.encode(text));
        }
        for (const data of sent.slice(-14)) io.message(data);
        await io.turn();
      }
      assertEquals(seen.length, sent.length);
      seen.forEach((data, index) => {
        const expected = sent[index]!;
        if (typeof expected === "string") return assert(data === expected);
        assertEquals(new Uint8Array(data as ArrayBuffer), expected);
      });
    }, start);
  }
});

Deno.test("what a message came in is not changed by the next", () =>
  withIo(async (io) => {
    const seen: ArrayBuffer[] = [];
    io.onMessage = (_, data) => void seen.push(data as ArrayBuffer);
    io.open();
    for (const size of [10, 10, 20_000, 20_000]) {
      io.message(new Uint8Array(size).fill(seen.length + 1));
      await io.turn();
    }
    assertEquals(seen.map(({ byteLength }) => byteLength), [
      ...[10, 10, 20_000, 20_000],
    ]);
    assertEquals(seen.map((buffer) => new Uint8Array(buffer)[9]), [1, 2, 3, 4]);
  }));

Deno.test("messages that wait are taken", () =>
  withIo(async (io) => {
    const seen: (string | ArrayBuffer)[] = [];
    io.onMessage = (_, data) => void seen.push(data);
    io.open();
    const text = "\ufeffé".repeat(600_000);
    io.message(text, { waits: true });
    await io.turn();
    io.message("short é".repeat(9000), { waits: true });
    await io.turn();
    io.message(new Uint8Array(70_000).fill(7), { waits: true });
    await io.turn();
    assert(seen[0] === text);
    assert(seen[1] === "short é".repeat(9000));
    assertEquals(new Uint8Array(seen[2] as ArrayBuffer).length, 70_000);
    assert(new Uint8Array(seen[2] as ArrayBuffer).every((byte) => byte === 7));
  }));

Deno.test("a message that is gone before it was taken", () =>
  withIo(async (io) => {
    io.open();
    io.message("x".repeat(40_000), { waits: true });
    io.contents.clear();
    io.closed(1006, "");
    await io.turn();
    assertEquals(io.log, ["closed 1006 "]);
  }));

Deno.test("pings and pongs are shown", () =>
  withIo(async (io) => {
    io.open();
    io.control(EVENT_PING, "a");
    io.control(EVENT_PONG, "");
    await io.turn();
    assertEquals(io.log, ["ping [97]", "pong []"]);
  }));

Deno.test("events of other sockets on a connection are not shown", () =>
  withIo(async (io) => {
    io.open();
    io.message("old", { generation: 0 });
    io.message("elsewhere", { connection: 7 });
    io.message("nowhere", { connection: 200_000 });
    io.message("new");
    await io.turn();
    assertEquals(io.log, ["message new"]);
  }));

// The end

Deno.test("a client that closes is told about once, and last", () =>
  withIo(async (io) => {
    const socket = io.open();
    io.message("a");
    io.closed(4000, "é".repeat(61));
    io.message("b");
    io.closed(1006, "");
    await io.turn();
    assertEquals(io.log, ["message a", `closed 4000 ${"é".repeat(61)}`]);
    assertEquals(socket.send("x", false), 0);
    assertEquals(socket.bufferedAmount, 0);
    socket.close(1000, "");
    socket.terminate();
    socket.pause();
    assertEquals(await io.turn(), []);
  }));

Deno.test("a client that left before the I/O thread knew of the upgrade", () =>
  withIo(async (io) => {
    io.open();
    io.event(EVENT_GONE, 0, { generation: 7 });
    io.event(EVENT_GONE);
    await io.turn();
    assertEquals(io.log, ["closed 1006 "]);
  }));

Deno.test("after close and terminate nothing is sent, and no event is shown", () =>
  withIo(async (io) => {
    for (const end of ["close", "terminate"] as const) {
      const socket = io.open();
      io.message("a");
      io.onMessage = () => {
        socket.send("last", false);
        if (end === "close") socket.close(4000, "é");
        else socket.terminate();
        assertEquals(socket.send("x", false), 0);
        assertEquals(socket.ping(new Uint8Array(1)), 0);
        assertEquals(socket.bufferedAmount, 0);
        socket.close(1000, "");
        socket.terminate();
        socket.pause();
        socket.resume();
      };
      io.message("b");
      io.event(EVENT_DRAIN);
      io.closed(1000, "");
      const [sent, last, ...rest] = await io.turn();
      assertEquals(rest, []);
      assertEquals(sent!.kind, COMMAND_SEND);
      assertEquals(
        last!.kind,
        end === "close" ? COMMAND_CLOSE : COMMAND_TERMINATE,
      );
      if (end === "close") {
        assertEquals([...last!.words.subarray(4, 6)], [4000, 2]);
        assertEquals(decoder.decode(last!.bytes.subarray(24, 26)), "é");
      }
    }
    assertEquals(io.log, ["message a", "message a"]);
  }));

Deno.test("a close frame can be empty", () =>
  withIo((io) => {
    const socket = io.open();
    socket.close(undefined, "");
    io.pump.show();
    const [{ kind, words }] = io.commands() as [Command];
    assertEquals([kind, words[4], words[5]], [COMMAND_CLOSE, 0, 0]);
  }));

Deno.test("pause and resume are commands", () =>
  withIo((io) => {
    const socket = io.open(3);
    socket.pause();
    socket.resume();
    io.pump.show();
    assertEquals(
      io.commands().map(({ kind, connection }) => [kind, connection]),
      [[COMMAND_PAUSE, 3], [COMMAND_RESUME, 3]],
    );
  }));

Deno.test("sockets are over when the I/O thread is", () => {
  const io = new SocketIo();
  io.open(0);
  io.open(5).terminate();
  io.open(9);
  io.close();
  assertEquals(io.log, ["closed 1006 ", "closed 1006 "]);
  assertEquals(io.sockets.map((socket) => socket.send("x", false)), [0, 0, 0]);
});

// Sending

Deno.test("text and bytes are sent as they are", () =>
  withIo((io) => {
    const socket = io.open(2);
    const long = "é€🫖".repeat(40);
    const statuses = [
      socket.send("", false),
      socket.send("hello", true),
      socket.send("é€🫖", false),
      socket.send("a\ud800b", false),
      socket.send("x".repeat(200), false),
      socket.send(long, false),
      socket.send(new Uint8Array([9, 1, 2, 3]).subarray(1), true),
      socket.send("known", false, 5),
    ];
    io.pump.show();
    const commands = io.commands();
    const sent = commands.map((command) =>
      decoder.decode(payloadOf(io, command))
    );
    assertEquals(sent, [
      ...["", "hello", "é€🫖", "a\ufffdb", "x".repeat(200), long],
      ...["\x01\x02\x03", "known"],
    ]);
    assertEquals(
      statuses,
      commands.map((command) => payloadOf(io, command).length),
    );
    assertEquals(commands.map(({ flags }) => flags), [
      SEND_TEXT,
      SEND_TEXT | SEND_COMPRESSED,
      ...[SEND_TEXT, SEND_TEXT, SEND_TEXT, SEND_TEXT],
      SEND_COMPRESSED,
      SEND_TEXT,
    ]);
    assertEquals(new Set(commands.map(({ connection }) => connection)).size, 1);
  }));

Deno.test("long messages are lent", () =>
  withIo((io) => {
    const socket = io.open();
    const bytes = new Uint8Array(2 * MEBIBYTE).map((_, index) => index);
    const messages = [
      ["x".repeat(8 * 1024), false],
      ["x".repeat(32 * 1024), false],
      ["x".repeat(32 * 1024 + 1), true],
      ["é".repeat(16 * 1024), false],
      ["é".repeat(16 * 1024) + "!", true],
      ["€".repeat(MEBIBYTE), true],
      [bytes.subarray(0, 32 * 1024), false],
      [bytes, true],
    ] as const;
    const statuses = messages.map(([data]) => socket.send(data, false));
    io.pump.show();
    const commands = io.commands();
    assertEquals(
      commands.map(({ flags }) => (flags & RESPOND_CONTENT_TOKEN) !== 0),
      messages.map(([, isLent]) => isLent),
    );
    commands.forEach((command, index) => {
      const [data] = messages[index]!;
      const payload = payloadOf(io, command);
      assertEquals(command.words[4], payload.length);
      assert(
        typeof data === "string"
          ? decoder.decode(payload) === data
          : payload.every((byte, at) => byte === data[at]),
      );
    });
    assertEquals(statuses.slice(0, 4), [8192, 32768, 32769, 32768]);
    assertEquals(statuses.slice(-1), [-1]);
    bytes.fill(0);
    assertEquals(payloadOf(io, commands.at(-1)!)[255], 255);
  }));

Deno.test("a sleeping thread is spared long messages, but not compression", () =>
  withIo((io) => {
    const socket = io.open(5);
    const message = new Uint8Array(MEBIBYTE).fill(7);
    io.mayPresent = true;
    io.memory.control[IO_SLEEPS] = 1;
    socket.send(message, true);
    io.pump.show();
    assertEquals([io.lent.size, io.presented.length, io.wakes], [1, 0, 1]);
    io.memory.control[IO_SLEEPS] = 1;
    socket.send(message, false);
    io.pump.show();
    assertEquals([io.lent.size, io.wakes], [1, 1]);
    assertEquals(io.presented, [{ connection: 5, content: message }]);
    assertEquals(io.commands().length, 2);
  }));

Deno.test("while the ring has little room, shorter ones are lent, too", () =>
  withIo((io) => {
    const message = new Uint8Array(32 * 1024);
    const sockets = Array.from({ length: 40 }, () => io.open());
    for (const socket of sockets) socket.send(message, false);
    const [first] = sockets;
    first!.send(message.subarray(0, 8 * 1024), false);
    io.pump.show();
    const areLent = io.commands().map(({ flags }) =>
      (flags & RESPOND_CONTENT_TOKEN) !== 0
    );
    const from = areLent.indexOf(true);
    assert(from > 10 && from < 20, `from message ${from} on`);
    assertEquals(areLent.length, 41);
    assertEquals(areLent.slice(from), [...Array(40 - from).fill(true), false]);
  }));

Deno.test("pings and pongs are sent as such", () =>
  withIo((io) => {
    const socket = io.open();
    assertEquals(socket.ping(Uint8Array.of(1, 2)), 2);
    assertEquals(socket.pong(new Uint8Array(0)), 0);
    io.pump.show();
    const commands = io.commands();
    assertEquals(commands.map(({ flags }) => flags), [SEND_PING, SEND_PONG]);
    assertEquals([...payloadOf(io, commands[0]!)], [1, 2]);
    assertEquals(socket.bufferedAmount, 2);
  }));

Deno.test("what handlers send goes out with one wake", () =>
  withIo((io) => {
    io.onMessage = (socket, data) => void socket.send(data as string, false);
    for (let connection = 0; connection < 5; connection++) {
      io.open(connection);
    }
    for (let connection = 0; connection < 5; connection++) {
      io.message(`${connection}`, { connection });
    }
    io.memory.control[IO_SLEEPS] = 1;
    const { wakes } = io;
    io.pump.wake();
    assertEquals(
      io.commands().map((command) => decoder.decode(payloadOf(io, command))),
      ["0", "1", "2", "3", "4"],
    );
    assertEquals(io.wakes - wakes, 1);
  }));

Deno.test("who sends much is read from meanwhile", () =>
  withIo((io) => {
    const socket = io.open();
    const data = new Uint8Array(8000);
    let read = 0;
    for (let index = 0; index < 500; index++) {
      socket.send(data, false);
      read += io.commands().length;
    }
    assert(read > 450, `${read} of 500 were shown early`);
  }));

// Backpressure

Deno.test("bufferedAmount is what was sent and is not written", () =>
  withIo((io) => {
    const socket = io.open();
    socket.send("hello", false);
    assertEquals(socket.bufferedAmount, 5);
    io.wrote(3);
    assertEquals(socket.bufferedAmount, 2);
    socket.send("!", false);
    assertEquals(socket.bufferedAmount, 3);
    io.wrote(3);
    assertEquals(socket.bufferedAmount, 0);
  }));

Deno.test("bufferedAmount is right when the count begins again", () =>
  withIo((io) => {
    const socket = io.open();
    io.lend = () => 1;
    const chunk = new Uint8Array(2 ** 26);
    for (let round = 0; round < 70; round++) {
      socket.send(chunk, false);
      io.commands();
      assertEquals(socket.bufferedAmount, 2 ** 26);
      io.wrote(2 ** 26);
      assertEquals(socket.bufferedAmount, 0);
    }
    for (let round = 0; round < 65; round++) {
      socket.send(chunk, false);
      io.commands();
    }
    assertEquals(socket.bufferedAmount, 65 * 2 ** 26);
    for (let round = 0; round < 65; round++) {
      io.wrote(2 ** 26);
      assertEquals(socket.bufferedAmount, (64 - round) * 2 ** 26);
    }
  }));

Deno.test("a connection's next socket begins with nothing", () =>
  withIo((io) => {
    const old = io.open();
    old.send("hello", false);
    io.wrote(4);
    io.setSlow(true);
    old.terminate();
    const socket = io.open();
    assertEquals(socket.bufferedAmount, 0);
    assertEquals(socket.send("hello", false), 5);
    assertEquals(socket.bufferedAmount, 5);
  }));

Deno.test("a slow client: what is sent waits, then drain, once", () =>
  withIo(async (io) => {
    const socket = io.open();
    assertEquals(socket.send("one", false), 3);
    io.setSlow(true);
    assertEquals(socket.send("two", false), -1);
    assertEquals(socket.ping(new Uint8Array(1)), -1);
    await io.turn();
    assertEquals(io.log, []);
    io.wrote(7);
    io.setSlow(false);
    io.event(EVENT_DRAIN);
    await io.turn();
    await io.turn();
    assertEquals(io.log, ["drain 0"]);
    assertEquals(socket.send("three", false), 5);
  }));

Deno.test("who has seen that bytes wait is told when none do", () =>
  withIo(async (io) => {
    const socket = io.open();
    assertEquals(socket.send("one", false), 3);
    io.wrote(3);
    assertEquals(socket.bufferedAmount, 0);
    await io.turn();
    assertEquals(io.log, []);
    assertEquals(socket.send("two", false), 3);
    assertEquals(socket.bufferedAmount, 3);
    io.wrote(3);
    await until(() => io.log.length > 0);
    assertEquals(io.log, ["drain 0"]);
  }));

Deno.test("what the I/O thread said before counts for nothing", () =>
  withIo(async (io) => {
    const socket = io.open();
    assertEquals(socket.send("one", false), 3);
    io.wrote(3);
    io.event(EVENT_DRAIN);
    await io.turn();
    assertEquals(io.log, []);
    io.setSlow(true);
    assertEquals(socket.send("two", false), -1);
    io.wrote(3);
    io.setSlow(false);
    // It was slow for a moment more than once.
    for (let times = 0; times < 3; times++) io.event(EVENT_DRAIN);
    await io.turn();
    assertEquals(io.log, ["drain 0"]);
  }));

Deno.test("drain waits for what was sent since the I/O thread spoke of it", () =>
  withIo(async (io) => {
    const socket = io.open();
    io.setSlow(true);
    assertEquals(socket.send("one", false), -1);
    io.wrote(3);
    io.setSlow(false);
    io.event(EVENT_DRAIN);
    assertEquals(socket.send("two", false), 3);
    await io.turn();
    assertEquals(io.log, []);
    io.wrote(3);
    await until(() => io.log.length > 0);
    assertEquals(io.log, ["drain 0"]);
  }));

Deno.test("much at a time waits, and drain follows though the client is quick", () =>
  withIo(async (io) => {
    const socket = io.open();
    const chunk = new Uint8Array(MEBIBYTE);
    assertEquals(socket.send(chunk, false), MEBIBYTE);
    assertEquals(socket.send(chunk, false), -1);
    await io.turn();
    io.wrote(MEBIBYTE);
    await io.turn();
    assertEquals(io.log, []);
    io.wrote(MEBIBYTE);
    await until(() => io.log.length > 0);
    // The I/O thread saw a slow client for a moment.
    io.event(EVENT_DRAIN);
    await io.turn();
    assertEquals(io.log, ["drain 0"]);
  }));

Deno.test("who sends much again when drain comes is told again", () =>
  withIo(async (io) => {
    const chunk = new Uint8Array(2 * MEBIBYTE);
    let left = 5;
    io.onDrain = (socket) => {
      if (left-- > 0) assertEquals(socket.send(chunk, false), -1);
    };
    assertEquals(io.open().send(chunk, false), -1);
    for (let count = 1; count <= 6; count++) {
      await io.turn();
      io.wrote(chunk.length);
      await until(() => io.log.length === count);
    }
    assertEquals(left, -1);
  }));

Deno.test("messages are dropped while more waits than the limit", () =>
  withIo((io) => {
    const socket = io.open(0, { backpressureLimit: 10 });
    io.setSlow(true);
    assertEquals(socket.send("x".repeat(10), false), -1);
    assertEquals(socket.send("x", false), -1);
    assertEquals(socket.send("x", false), 0);
    assertEquals(socket.send(new Uint8Array(100_000), false), 0);
    assertEquals(socket.ping(new Uint8Array(1)), 0);
    assertEquals(socket.bufferedAmount, 11);
    io.wrote(1);
    assertEquals(socket.send("y", false), -1);
    io.pump.show();
    assertEquals(io.commands().length, 3);
    assertEquals(io.lent.size, 0);
  }));

Deno.test("a client that is not known to be slow gets more than the limit", () =>
  withIo((io) => {
    const socket = io.open(0, { backpressureLimit: 1000 });
    const statuses = Array.from(
      { length: 20 },
      () => socket.send(new Uint8Array(500), false),
    );
    assertEquals(statuses, [500, 500, ...Array(18).fill(-1)]);
    // Who goes on all the same runs into a limit, too.
    let count = 0;
    while (socket.send(new Uint8Array(MEBIBYTE), false) !== 0) count++;
    assertEquals(count, 4);
  }));

Deno.test("what is dropped was announced: a -1 comes before a 0", () =>
  withIo((io) => {
    for (const limit of [1, 1000, 100_000, 3 * MEBIBYTE]) {
      const socket = io.open(0, { backpressureLimit: limit });
      let last = 1;
      for (let index = 0; index < 50; index++) {
        if (index === 20) io.setSlow(true);
        const status = socket.send(new Uint8Array(100_000), false);
        assert(status !== 0 || last <= 0, `limit ${limit}, message ${index}`);
        last = status;
      }
      assertEquals(last, 0);
      io.setSlow(false);
    }
  }));

Deno.test("a limit of 0 is none", () =>
  withIo((io) => {
    const socket = io.open(0, { backpressureLimit: 0 });
    io.setSlow(true);
    for (let index = 0; index < 40; index++) {
      assertEquals(socket.send(new Uint8Array(MEBIBYTE), false), -1);
    }
    assertEquals(socket.bufferedAmount, 40 * MEBIBYTE);
  }));

Deno.test("closeOnBackpressureLimit ends the connection", () =>
  withIo(async (io) => {
    const socket = io.open(0, {
      backpressureLimit: 10,
      closeOnBackpressureLimit: true,
    });
    io.setSlow(true);
    assertEquals(socket.send("x".repeat(11), false), -1);
    assertEquals(io.log, []);
    assertEquals(socket.send("x", false), 0);
    assertEquals(io.log, ["closed 1006 "]);
    assertEquals(socket.send("x", false), 0);
    const commands = await io.turn();
    assertEquals(commands.map(({ kind }) => kind), [
      COMMAND_SEND,
      COMMAND_TERMINATE,
    ]);
    assertEquals(io.log, ["closed 1006 "]);
  }));

Deno.test("a socket that ended owes no drain", () =>
  withIo(async (io) => {
    const socket = io.open();
    socket.send(new Uint8Array(2 * MEBIBYTE), false);
    socket.terminate();
    io.wrote(2 * MEBIBYTE);
    await io.turn();
    assertEquals(io.log, []);
  }));

// Broadcasting

Deno.test("one record carries a message to many", () =>
  withIo((io) => {
    const sockets = [3, 1, 2].map((connection) => io.open(connection));
    assertEquals(broadcast(sockets, "héllo", true, 6), 6);
    io.pump.show();
    const [command, ...rest] = io.commands();
    assertEquals(rest, []);
    assertEquals(command!.kind, COMMAND_SEND_MANY);
    assertEquals(command!.flags, SEND_TEXT | SEND_COMPRESSED);
    assertEquals(receiversOf(command!), [[3, 1], [1, 1], [2, 1]]);
    assertEquals(decoder.decode(payloadOf(io, command!)), "héllo");
    assertEquals(sockets.map(({ bufferedAmount }) => bufferedAmount), [
      ...[6, 6, 6],
    ]);
  }));

Deno.test("bytes, and what is lent", () =>
  withIo((io) => {
    const sockets = [0, 1].map((connection) => io.open(connection));
    const bytes = new Uint8Array(40_000).fill(3);
    assertEquals(broadcast(sockets, bytes.subarray(0, 2), false, 2), 2);
    assertEquals(broadcast(sockets, bytes, false, 40_000), 40_000);
    assertEquals(broadcast(sockets, "x".repeat(40_000), false, 40_000), 40_000);
    io.pump.show();
    const commands = io.commands();
    assertEquals(commands.map(({ flags }) => flags), [
      0,
      RESPOND_CONTENT_TOKEN,
      RESPOND_CONTENT_TOKEN | SEND_TEXT,
    ]);
    assertEquals(
      commands.map((command) => payloadOf(io, command).length),
      [2, 40_000, 40_000],
    );
  }));

Deno.test("what a broadcast says: dropped, waiting, sent", () =>
  withIo((io) => {
    const [quick, slow, full] = [0, 1, 2].map((connection) =>
      io.open(connection, { backpressureLimit: 10 })
    ) as [EngineWebSocket, EngineWebSocket, EngineWebSocket];
    io.setSlow(true, 1);
    io.setSlow(true, 2);
    full.send("x".repeat(11), false);
    io.pump.show();
    io.commands();
    assertEquals(broadcast([quick], "a", false, 1), 1);
    assertEquals(broadcast([quick, slow], "a", false, 1), -1);
    assertEquals(broadcast([quick, slow, full], "a", false, 1), 0);
    assertEquals(broadcast([full], "a", false, 1), 0);
    assertEquals(broadcast([], "a", false, 1), 1);
    quick.terminate();
    assertEquals(broadcast([quick, slow], "a", false, 1), 0);
    io.pump.show();
    const sent = io.commands().filter(({ kind }) => kind === COMMAND_SEND_MANY);
    assertEquals(
      sent.map((command) => receiversOf(command).map(([it]) => it)),
      [
        [0],
        [0, 1],
        [0, 1],
        [1],
      ],
    );
  }));

Deno.test("more receivers than a record has room for", () =>
  withIo(async (io) => {
    const sockets: EngineWebSocket[] = [];
    for (let connection = 0; connection < 20_000; connection++) {
      io.ask({ connection });
      if (connection % 1000 === 999) await io.turn();
    }
    sockets.push(...io.sockets);
    assertEquals(sockets.length, 20_000);
    assertEquals(broadcast(sockets, "é", false, 2), 2);
    const commands = await io.turn();
    assertEquals(
      commands.flatMap((command) => receiversOf(command).map(([it]) => it)),
      Array.from({ length: 20_000 }, (_, index) => index),
    );
    assert(commands.length > 1);
    for (const command of commands) {
      assertEquals(decoder.decode(payloadOf(io, command)), "é");
    }
  }));

Deno.test("sockets of several threads get it from their own", () =>
  withIo((io) =>
    withIo((other) => {
      const sockets = [
        ...[io.open(1), other.open(1), io.open(2), other.open(7)],
      ];
      assertEquals(broadcast(sockets, "a", false, 1), 1);
      io.pump.show();
      other.pump.show();
      assertEquals(io.commands().map(receiversOf), [[[1, 1], [2, 1]]]);
      assertEquals(other.commands().map(receiversOf), [[[1, 1], [7, 1]]]);
    })
  ));

Deno.test("programs may send when a broadcast ends a socket", () =>
  withIo((io) => {
    const sockets = [0, 1, 2].map((connection) =>
      io.open(connection, {
        backpressureLimit: 10,
        closeOnBackpressureLimit: true,
      })
    );
    io.setSlow(true, 0);
    sockets[0]!.send("x".repeat(11), false);
    io.pump.show();
    io.commands();
    io.onClosed = () => {
      sockets[2]!.terminate();
      broadcast([sockets[1]!], "gone", false, 4);
    };
    assertEquals(broadcast(sockets, "a", false, 1), 0);
    io.pump.show();
    const commands = io.commands();
    assertEquals(commands.map(({ kind }) => kind), [
      COMMAND_SEND_MANY,
      COMMAND_TERMINATE,
      COMMAND_TERMINATE,
      COMMAND_SEND_MANY,
    ]);
    assertEquals(receiversOf(commands[0]!), [[1, 1], [2, 1]]);
    assertEquals(decoder.decode(payloadOf(io, commands[0]!)), "a");
    assertEquals(decoder.decode(payloadOf(io, commands[3]!)), "gone");
  }));

Deno.test("broadcasts wait for space in the ring, in order", () =>
  withIo(async (io) => {
    const sockets = [0, 1].map((connection) => io.open(connection));
    const sent = Array.from({ length: 100 }, (_, index) => index);
    for (const index of sent) {
      const bytes = new Uint8Array(30_000).fill(index);
      broadcast(sockets, bytes, false, bytes.length);
    }
    const seen: number[] = [];
    while (seen.length < 100) {
      for (const command of await io.turn()) {
        seen.push(payloadOf(io, command)[0]!);
      }
    }
    assertEquals(seen, sent);
  }));

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached(); tries++) {
    if (tries === 2000) throw new Error("Gave up waiting");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

// Policies and buses

Deno.test("the thread is told how to make room", () =>
  withIo((io) => {
    const sockets = [0, 1].map((connection) => io.open(connection));
    const oldest = { topic: "t", policy: "drop-oldest" } as const;
    const latest = { topic: "tópic", policy: "latest" } as const;
    const cut = { topic: "t", policy: "disconnect" } as const;
    assertEquals(broadcast(sockets, "abc", true, 3, oldest), 3);
    assertEquals(sockets[0]!.send("dé", false, undefined, latest), 3);
    assertEquals(broadcast(sockets, "ghi", false, 3, cut), 3);
    io.pump.show();
    const commands = io.commands();
    assertEquals(commands.map(({ kind, flags }) => [kind, flags]), [
      [COMMAND_SEND_MANY, SEND_TEXT | SEND_COMPRESSED | SEND_DROP_OLDEST],
      [COMMAND_SEND_MANY, SEND_TEXT | SEND_LATEST],
      [COMMAND_SEND_MANY, SEND_TEXT],
    ]);
    assertEquals(decoder.decode(payloadOf(io, commands[0]!)), "abc");
    const { bytes, words } = commands[1]!;
    assertEquals(receiversOf(commands[1]!), [[0, 1]]);
    assertEquals(words[9], 6);
    assertEquals(decoder.decode(bytes.subarray(40, 46)), "tópic");
    assertEquals(decoder.decode(bytes.subarray(46, 49)), "dé");
  }));

Deno.test("what makes room is sent to slow clients, too", () =>
  withIo((io) => {
    const socket = io.open(0, { backpressureLimit: 1 });
    io.setSlow(true);
    assertEquals(socket.send("ab", false), -1);
    assertEquals(socket.send("ab", false), 0);
    for (const policy of ["drop-oldest", "latest"] as const) {
      const publication = { topic: "t", policy };
      assertEquals(socket.send("cd", false, 2, publication), -1);
    }
    assertEquals(socket.bufferedAmount, 6);
    // The thread has taken two of them back.
    io.wrote(4);
    assertEquals(socket.bufferedAmount, 2);
    const publication = { topic: "t", policy: "disconnect" } as const;
    assertEquals(socket.send("ef", false, 2, publication), 0);
    assertEquals(io.log, ["closed 1006 "]);
    io.pump.show();
    assertEquals(io.commands().at(-1)!.kind, COMMAND_TERMINATE);
  }));

Deno.test("subscriptions on a bus are told until the socket is over", () =>
  withIo((io) => {
    const socket = io.open(3);
    assert(socket instanceof NativeWebSocket);
    socket.subscribe(7, "é");
    socket.unsubscribe(7, "topic");
    socket.terminate();
    socket.subscribe(7, "late");
    io.pump.show();
    const commands = io.commands();
    assertEquals(
      commands.map(({ kind, connection, generation }) => [
        kind,
        connection,
        generation,
      ]),
      [
        [COMMAND_SUBSCRIBE, 3, 1],
        [COMMAND_UNSUBSCRIBE, 3, 1],
        [COMMAND_TERMINATE, 3, 1],
      ],
    );
    const [{ words, bytes }] = commands as [Command];
    assertEquals([...words.subarray(4, 6)], [7, 2]);
    assertEquals(decoder.decode(bytes.subarray(24, 26)), "é");
  }));

Deno.test("topics have keys that are short and all different", () => {
  const long = "x".repeat(257);
  const topics = ["t", "x".repeat(256), long, long + "x", "\ud800", "\ufffd"];
  const keys = [...topics, "\0", "", topicKey(long)].map(topicKey);
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(keys.slice(0, 2), topics.slice(0, 2));
  for (const key of keys) assert(key.length <= 256 && key.isWellFormed());
});
