/**
 * What the clients of a long mixed run do. Each does one thing and checks what
 * came of it; a wrong answer throws.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { deadline } from "./deadline.ts";
// Deno's own client does not offer compression.
import * as ws from "npm:ws@^8.18.0";

interface Client extends EventEmitter {
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

const Client: new (
  url: string,
  options: { perMessageDeflate: boolean },
) => Client = ws.WebSocket as never;

/** Bytes of the file that the server serves. */
export const FILE_BYTES: number = 1024 * 1024;

/** One thing that clients do again and again. */
export type Work = (port: number) => Promise<void>;

/** Everything that they do, by name. */
export const work: Readonly<Record<string, Work>> = {
  requests,
  echo,
  echoCompressed,
  publish,
  uploads,
  files,
  inMemory,
  tcp,
  events,
  aborts,
  resets,
};

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function ask(
  port: number,
  path: string,
  init?: RequestInit,
): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const text = await response.text();
  check(response.status === 200, `${path}: ${response.status}`);
  return text;
}

async function requests(port: number): Promise<void> {
  for (let index = 0; index < 20; index++) {
    const number = String(index * 7919);
    check(await ask(port, `/number/${number}`) === number, "number");
    check(await ask(port, "/static") === "static", "static");
    const body = number.repeat(index + 1);
    const echoed = await ask(port, "/echo", { method: "POST", body });
    check(echoed === body, "echo");
  }
}

/** Opens a WebSocket that rejects what goes wrong. */
async function open(port: number, compressed: boolean, path = "talk") {
  const client = new Client(`ws://127.0.0.1:${port}/${path}`, {
    perMessageDeflate: compressed,
  });
  await deadline(once(client, "open"), "a WebSocket to open");
  return client;
}

async function close(client: Client): Promise<void> {
  const closed = once(client, "close");
  client.close(1000, "enough");
  const [code] = await deadline(closed, "a WebSocket to close");
  check(code === 1000, `Closed with ${code}`);
}

async function talk(port: number, compressed: boolean): Promise<void> {
  const client = await open(port, compressed);
  for (const size of [0, 1, 125, 126, 4000, 65_535, 65_536, 300_000]) {
    const message = Buffer.alloc(size, `some ${size} bytes of it, `);
    client.send(size % 2 === 0 ? message.toString() : message);
    const answer = deadline(once(client, "message"), "an echo");
    const [data] = await answer;
    check(message.equals(data), `An echo of ${size} bytes`);
  }
  await close(client);
}

function echo(port: number): Promise<void> {
  return talk(port, false);
}

function echoCompressed(port: number): Promise<void> {
  return talk(port, true);
}

let published = 0;

/** Subscribers come, receive everything from then on, and leave. */
async function publish(port: number): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: 10 }, (_, index) => open(port, index % 2 > 0, "news")),
  );
  const received = clients.map(() => new Set<string>());
  clients.forEach((client, index) =>
    client.on("message", (data: unknown) => received[index]!.add(String(data)))
  );
  const sent: string[] = [];
  for (let index = 0; index < 20; index++) {
    const number = String(++published);
    check(await ask(port, `/publish/${number}`) === number, "publish");
    sent.push(number);
  }
  await deadline(
    (async () => {
      while (
        !sent.every((number) => received.every((set) => set.has(number)))
      ) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })(),
    "everything that was published",
  );
  // Some leave without a word.
  clients.splice(0, 3).forEach((client) => client.terminate());
  await Promise.all(clients.map(close));
}

async function uploads(port: number): Promise<void> {
  const body = new Uint8Array(FILE_BYTES);
  const counted = await ask(port, "/upload", { method: "POST", body });
  check(counted === String(FILE_BYTES), "An upload");
  // Of unknown length, so it goes in chunks.
  const chunks = ReadableStream.from(Array(20).fill(body.subarray(0, 50_000)));
  const summed = await ask(port, "/upload", { method: "POST", body: chunks });
  check(summed === "1000000", "A chunked upload");
}

async function files(port: number): Promise<void> {
  for (const path of ["/file", "/handler-file"]) {
    const whole = await fetch(`http://127.0.0.1:${port}${path}`);
    const { length } = await whole.bytes();
    check(whole.status === 200 && length === FILE_BYTES, path);
    const part = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { range: "bytes=1000-1999" },
    });
    const bytes = await part.bytes();
    check(part.status === 206 && bytes.length === 1000, `${path} in parts`);
  }
}

async function inMemory(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/in-memory`);
  const bytes = await response.bytes();
  check(
    bytes.length === FILE_BYTES && bytes.every((byte) => byte === 1),
    "Content that was in memory",
  );
}

/** Sends much over TCP, and reads it late. */
async function tcp(port: number): Promise<void> {
  const host = "127.0.0.1";
  const echoPort = Number(await ask(port, "/tcp"));
  const socket = connect({ port: echoPort, host, allowHalfOpen: true });
  await deadline(once(socket, "connect"), "a connection");
  const sent = Buffer.alloc(4 * FILE_BYTES, `some bytes of ${port}, `);
  socket.end(sent);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const received: Uint8Array[] = [];
  await deadline(
    (async () => {
      for await (const bytes of socket) received.push(bytes);
    })(),
    "an echo over TCP",
  );
  check(Buffer.concat(received).equals(sent), "An echo over TCP");
  // The same, but it is given up.
  const other = connect(echoPort, host);
  await deadline(once(other, "connect"), "a connection");
  other.write(sent);
  other.once("data", () => other.resetAndDestroy());
  await deadline(once(other, "close"), "a reset over TCP");
}

/** Hears of what is published, and leaves. */
async function events(port: number): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const answer = await fetch(`http://127.0.0.1:${port}/events`, { signal });
  const reader = answer.body!.getReader();
  const number = String(++published);
  await ask(port, `/publish/${number}`);
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(`data: ${number}\n`)) {
    const { value } = await deadline(reader.read(), "an event");
    check(value !== undefined, "An event");
    text += decoder.decode(value, { stream: true });
  }
  controller.abort();
  await reader.read().catch(() => {});
}

/** Clients that leave in the middle of an answer, or before there is one. */
async function aborts(port: number): Promise<void> {
  for (const path of ["/endless", "/slow", "/file"]) {
    const controller = new AbortController();
    const { signal } = controller;
    const answer = fetch(`http://127.0.0.1:${port}${path}`, { signal });
    setTimeout(() => controller.abort(), 30);
    await deadline(
      answer.then((response) => response.bytes()).catch((error) => {
        if (!signal.aborted) throw error;
      }),
      "an abort",
    );
  }
}

/** Connections that are reset in the middle of something. */
async function resets(port: number): Promise<void> {
  const handshake =
    "GET /news HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: " +
    "Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  for (
    const bytes of [
      "",
      "GET /numb",
      "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello",
      handshake,
      `${handshake}\x81\x85`,
      `${handshake}\x01\x85abcdefghi`,
    ]
  ) {
    const isUpgrade = bytes.startsWith(handshake);
    await deadline(resetAfter(port, bytes, isUpgrade), "a reset");
  }
}

function resetAfter(
  port: number,
  bytes: string,
  waitsForAnswer: boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes, "latin1", () => {
        if (!waitsForAnswer) socket.resetAndDestroy();
      });
    });
    socket.on("data", () => socket.resetAndDestroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}
