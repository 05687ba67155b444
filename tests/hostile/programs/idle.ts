/** WebSockets that do nothing; runs in Bun too, to compare with. */
interface BunGlobal {
  serve: typeof import("../../../mod.ts").serve;
  gc(force: boolean): void;
}

const globals = globalThis as unknown as { Bun?: BunGlobal; gc?: () => void };
const { Bun } = globals;
const serve = Bun?.serve ?? (await import("../../../mod.ts")).serve;

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: {
    "/collect": () => {
      Bun?.gc(true);
      globals.gc?.();
      return new Response();
    },
    "/sockets": (_, server) => new Response(String(server.pendingWebSockets)),
    "/echo": (request, server) => {
      if (server.upgrade(request)) return;
      return new Response(null, { status: 426 });
    },
  },
  fetch: () => new Response(null, { status: 404 }),
  websocket: {
    idleTimeout: 0,
    message: (socket, message) => void socket.send(message),
  },
});
console.log(`Listening on ${server.url}`);
