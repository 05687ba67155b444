/** A server that does something of everything, for long runs. */
import { Buffer } from "node:buffer";
import {
  file,
  listen,
  serve,
  type ServerWebSocket,
  type Socket,
  sse,
} from "../../../mod.ts";

const path = Deno.env.get("FILE")!;

/** Content of an answer, in memory. */
const memory = new Uint8Array(1024 * 1024).fill(1);

/** Sends what waits; what the system does not take goes on waiting. */
function flush(socket: Socket<Uint8Array[]>): void {
  const waiting = socket.data;
  while (waiting.length > 0) {
    const taken = socket.write(waiting[0]!);
    if (taken < waiting[0]!.length) {
      waiting[0] = waiting[0]!.subarray(taken);
      return socket.pause();
    }
    waiting.shift();
  }
  socket.resume();
}

const echo = listen<Uint8Array[]>({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: {
    open: (socket) => void (socket.data = []),
    data: (socket, bytes) => {
      socket.data.push(bytes);
      flush(socket);
    },
    drain: flush,
    // What waits is sent nevertheless.
    end: (socket) => void socket.end(Buffer.concat(socket.data)),
    error: () => {},
  },
});

/** Counts what is uploaded without keeping it. */
async function upload(request: Request): Promise<Response> {
  let length = 0;
  for await (const chunk of request.body!) length += chunk.length;
  return new Response(String(length));
}

/** Chunks for as long as somebody reads them. */
function endless(): Response {
  const chunk = new Uint8Array(16 * 1024);
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(chunk);
      },
    }),
  );
}

/** An answer after a while, unless the client leaves before. */
async function slow(request: Request): Promise<Response> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 2_000);
    request.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
  return new Response("at last");
}

/** Collects garbage; run with `--v8-flags=--expose-gc`. */
const { gc } = globalThis as unknown as { gc: () => void };

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: {
    "/static": new Response("static"),
    "/in-memory": () => new Response(memory),
    "/tcp": () => new Response(String(echo.port)),
    "/events": sse({ topic: "news", history: 0 }),
    "/file": file(path),
    "/handler-file": () => new Response(file(path)),
    "/number/:number": ({ params }) => new Response(params.number),
    "/echo": async (request) => new Response(await request.bytes()),
    "/upload": upload,
    "/endless": endless,
    "/slow": slow,
    "/memory": () => {
      gc();
      return Response.json(Deno.memoryUsage());
    },
    "/sockets": (_, server) => new Response(String(server.pendingWebSockets)),
    "/subscribers": (_, server) =>
      new Response(String(server.subscriberCount("news"))),
    // The answer is the number, so that a client knows which it will receive.
    "/publish/:number": ({ params }, server) => {
      server.publish("news", params.number);
      return new Response(params.number);
    },
    "/news": (request, server) => {
      if (server.upgrade(request, { data: { topic: "news" } })) return;
      return new Response(null, { status: 426 });
    },
    "/talk": (request, server) => {
      if (server.upgrade(request, { data: { topic: "" } })) return;
      return new Response(null, { status: 426 });
    },
  },
  websocket: {
    data: {} as { topic: string },
    perMessageDeflate: { compress: "dedicated", decompress: "dedicated" },
    open: (socket: ServerWebSocket<{ topic: string }>) => {
      const { topic } = socket.data;
      if (topic !== "") socket.subscribe(topic);
    },
    message: (socket, message) => void socket.send(message, true),
  },
});
console.log(`Listening on ${server.url}`);
