// Server-sent events: the page shows a clock that the server drives, and what
// visitors say. Who loses the connection gets what it has missed.
//
//   deno run -A examples/sse.ts
//   open http://localhost:3000

import { serve, sse } from "@jstime/serve";

const page = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Server time</title>
<style>
  html { color-scheme: light dark; font: 1.25rem system-ui, sans-serif; }
  body { display: grid; place-content: center; min-height: 90vh; }
  output { font-size: 4rem; font-variant-numeric: tabular-nums; }
</style>
<output>…</output>
<form><input placeholder="Say something" autofocus></form>
<ul></ul>
<script>
  const find = (selector) => document.querySelector(selector);
  const clock = new EventSource("/time");
  clock.onmessage = ({ data }) => find("output").textContent = data;
  const wall = new EventSource("/wall");
  wall.addEventListener("said", ({ data }) => {
    const item = document.createElement("li");
    item.textContent = data;
    find("ul").prepend(item);
  });
  find("form").onsubmit = (event) => {
    event.preventDefault();
    fetch("/wall", { method: "POST", body: find("input").value });
    find("input").value = "";
  };
</script>
</html>
`;

const server = serve({
  maxRequestBodySize: 1024,
  routes: {
    "/": new Response(page, {
      headers: { "content-type": "text/html;charset=utf-8" },
    }),
    "/time": sse({ topic: "time", history: 0 }),
    "/wall": {
      GET: sse({ topic: "wall", event: "said", retry: 1_000 }),
      POST: async (request, server) => {
        server.publish("wall", await request.text());
        return new Response(null, { status: 204 });
      },
    },
  },
});

// One message for all clients, however many there are.
setInterval(() => {
  server.publish("time", new Date().toLocaleTimeString("en-GB"));
}, 1000);

console.log(`Listening on ${server.url}`);
