/** A server with event streams, and routes that do things to them. */
import { serve, sse } from "../../../mod.ts";

const rooms = new Set<string>();
let flooding: ReturnType<typeof setInterval> | undefined;

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: {
    "/events": sse({ topic: "events" }),
    "/beating": sse({ topic: "beating", heartbeat: 0.2 }),
    "/rooms/:id": ({ params }) => {
      rooms.add(params.id);
      return sse({ topic: `room ${params.id}`, heartbeat: 0.2 });
    },
    "/count": (_, server) =>
      new Response(String(server.subscriberCount("events"))),
    "/rooms": (_, server) => {
      let count = 0;
      for (const id of rooms) count += server.subscriberCount(`room ${id}`);
      return new Response(String(count));
    },
    "/publish/:count/:size": ({ params }, server) => {
      const data = "x".repeat(Number(params.size));
      for (let count = Number(params.count); count > 0; count--) {
        server.publish("events", data);
      }
      return new Response("published");
    },
    "/publish-rooms": (_, server) => {
      for (const id of rooms) server.publish(`room ${id}`, "x".repeat(1000));
      return new Response("published");
    },
    "/flood/on": (_, server) => {
      flooding = setInterval(() => {
        for (let count = 0; count < 20; count++) {
          server.publish("events", "a message of some length");
        }
      }, 1);
      return new Response("on");
    },
    "/flood/off": () => {
      clearInterval(flooding);
      return new Response("off");
    },
    // Nothing else of this process's JavaScript runs meanwhile.
    "/block/:milliseconds": ({ params }) => {
      console.log("blocked");
      const end = performance.now() + Number(params.milliseconds);
      while (performance.now() < end);
      return new Response("unblocked");
    },
  },
});
console.log(`Listening on ${server.url}`);
