// As in params_test.ts, compiling this file is the test.

import { assertType, type IsExact } from "@std/testing/types";
import type { Buffer } from "node:buffer";
import {
  type Serve,
  serve,
  type Server,
  type ServerWebSocket,
  type WebSocketHandler,
} from "../../mod.ts";

interface Guest {
  name: string;
}

/** Options are checked; nothing is started. */
function never(run: () => void): void {
  void run;
}

Deno.test("without data, upgrade needs none", () => {
  never(() => {
    const server = serve({
      fetch(request, server) {
        assertType<IsExact<typeof server, Server<undefined>>>(true);
        server.upgrade(request);
        server.upgrade(request, {});
        server.upgrade(request, { headers: { "x-a": "b" } });
        server.upgrade(request, { data: undefined, headers: undefined });
        // @ts-expect-error Nobody said what data is.
        server.upgrade(request, { data: { name: "Ada" } });
      },
      websocket: {
        message(socket, message) {
          assertType<IsExact<typeof socket, ServerWebSocket<undefined>>>(true);
          assertType<IsExact<typeof message, string | Buffer<ArrayBuffer>>>(
            true,
          );
        },
      },
    });
    assertType<IsExact<typeof server, Server<undefined>>>(true);
  });
});

Deno.test("websocket.data types data everywhere", () => {
  never(() => {
    const server = serve({
      fetch(request, server) {
        assertType<IsExact<typeof server, Server<Guest>>>(true);
        assertType<IsExact<typeof this, Server<Guest>>>(true);
        server.upgrade(request, { data: { name: "Ada" } });
        // @ts-expect-error Data is needed.
        server.upgrade(request);
        // @ts-expect-error It must be a guest.
        server.upgrade(request, { data: { age: 36 } });
      },
      error(_) {
        assertType<IsExact<typeof this, Server<Guest>>>(true);
      },
      websocket: {
        data: {} as Guest,
        open: (socket) => {
          assertType<IsExact<typeof socket.data, Guest>>(true);
        },
        close: (socket, code, reason) => {
          assertType<IsExact<typeof socket.data, Guest>>(true);
          assertType<IsExact<typeof code, number>>(true);
          assertType<IsExact<typeof reason, string>>(true);
        },
        error: (error, socket) => {
          assertType<IsExact<typeof error, Error>>(true);
          assertType<IsExact<typeof socket.data, Guest>>(true);
        },
      },
    });
    assertType<IsExact<typeof server, Server<Guest>>>(true);
  });
});

Deno.test("params stay typed beside data", () => {
  never(() => {
    serve({
      routes: {
        "/rooms/:room": (request, server) => {
          assertType<IsExact<typeof request.params.room, string>>(true);
          assertType<IsExact<typeof server, Server<Guest>>>(true);
          // @ts-expect-error There is no such parameter.
          void request.params.name;
          if (server.upgrade(request, { data: { name: "Ada" } })) return;
          return new Response("no");
        },
        "/users/:id": {
          GET: (request, server) => {
            assertType<IsExact<typeof request.params.id, string>>(true);
            assertType<IsExact<typeof server, Server<Guest>>>(true);
            return new Response();
          },
        },
      },
      websocket: { data: {} as Guest },
    });
  });
});

Deno.test("options can be written apart", () => {
  never(() => {
    const websocket: WebSocketHandler<Guest> = {
      message: (socket) => void socket.send(socket.data.name),
    };
    const options: Serve.Options<Guest> = {
      fetch: (request, server) => {
        server.upgrade(request, { data: { name: "Ada" } });
      },
      websocket,
    };
    const server: Server<Guest> = serve(options);
    assertType<IsExact<typeof server, Server<Guest>>>(true);
    void ({
      fetch: () => new Response(),
      websocket: {
        message: (socket) => void socket.data.name,
      },
    } satisfies Serve.Options<Guest>);
  });
});

Deno.test("handlers are typed", () => {
  never(() => {
    serve({
      fetch: () => new Response(),
      websocket: {
        // @ts-expect-error No such compressor.
        perMessageDeflate: { compress: "5KB" },
      },
    });
    serve({
      fetch: () => new Response(),
      websocket: {
        // @ts-expect-error Not a number of bytes.
        maxPayloadLength: "16MB",
      },
    });
    const socket = {} as ServerWebSocket<Guest>;
    socket.send("text");
    socket.send(new Uint8Array(1));
    socket.send(new Blob([]), true);
    socket.binaryType = "arraybuffer";
    // @ts-expect-error Not one of the four.
    socket.binaryType = "buffer";
    // @ts-expect-error Only text.
    socket.sendText(new Uint8Array(1));
    // @ts-expect-error Only bytes.
    socket.sendBinary("text");
    socket.publish("topic", "text", { policy: "latest", compress: true });
    // @ts-expect-error No such policy.
    socket.publish("topic", "text", { policy: "newest" });
    serve({
      bus: "name",
      fetch: () => new Response(),
      websocket: {
        // @ts-expect-error No such policy.
        topics: { topic: { policy: "newest" } },
      },
    });
    const status: number = socket.cork((same) => same.send("x"));
    void status;
  });
});
