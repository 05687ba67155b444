// A chat: everybody in a room reads what the others write. Open two pages.
//
//   deno run -A examples/chat.ts
//   open http://localhost:3000/?room=tea

import { file, serve } from "@jstime/serve";

/** What the server knows about everybody who is connected. */
interface Guest {
  readonly name: string;
  readonly room: string;
}

const server = serve({
  routes: {
    "/": file(`${import.meta.dirname}/chat.html`),
    "/chat": (request, server) => {
      // Browsers send their Origin; pages of other sites stay outside.
      const origin = request.headers.get("origin");
      if (origin && new URL(origin).host !== request.headers.get("host")) {
        return new Response("Not from there", { status: 403 });
      }
      const { searchParams } = new URL(request.url);
      const guest: Guest = {
        name: (searchParams.get("name") || "Somebody").slice(0, 40),
        room: (searchParams.get("room") || "lobby").slice(0, 40),
      };
      if (server.upgrade(request, { data: guest })) return;
      return new Response("Expected a WebSocket", { status: 426 });
    },
  },
  websocket: {
    data: {} as Guest,
    maxPayloadLength: 4096,
    open(socket) {
      socket.subscribe(socket.data.room);
      tell(socket.data, "is here");
    },
    message(socket, message) {
      tell(socket.data, `: ${message}`);
    },
    close(socket) {
      tell(socket.data, "has left");
    },
  },
});

console.log(`Listening on ${server.url}`);

/** Says something in the room of a guest, to the guest too. */
function tell({ name, room }: Guest, text: string): void {
  const line = text.startsWith(":") ? name + text : `${name} ${text}`;
  const present = server.subscriberCount(room);
  server.publish(room, JSON.stringify({ line, present }));
}
