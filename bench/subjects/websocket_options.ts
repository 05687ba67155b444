/**
 * The WebSocket server under test written for Bun's API. Ours and Bun run this
 * very text.
 *
 * @module
 */

/** The part of a socket that the workloads need. */
interface Socket {
  send(message: string | Uint8Array<ArrayBuffer>): number;
  subscribe(topic: string): boolean;
}

/** The part of a server that the workloads need. */
interface Server {
  upgrade(request: Request): boolean;
  publish(topic: string, message: string | Uint8Array<ArrayBuffer>): number;
}

/**
 * Options for `serve()`.
 *
 * @param workload `publish` subscribes everybody and publishes what arrives;
 * anything else echoes.
 */
export function webSocketOptions(workload: string) {
  let server: Server;
  return {
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch(request: Request, itself: Server) {
      server = itself;
      if (itself.upgrade(request)) return;
      return new Response("Expected a WebSocket", { status: 400 });
    },
    websocket: workload === "publish"
      ? {
        open(socket: Socket) {
          socket.subscribe("news");
        },
        message(_: Socket, message: string | Uint8Array<ArrayBuffer>) {
          server.publish("news", message);
        },
      }
      : {
        message(socket: Socket, message: string | Uint8Array<ArrayBuffer>) {
          socket.send(message);
        },
      },
  };
}
