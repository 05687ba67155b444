// Server-sent events: the page shows a clock that the server drives.
//
//   deno run -A examples/sse.ts
//   open http://localhost:3000

import { serve } from "@jstime/serve";

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
<script>
  const output = document.querySelector("output");
  new EventSource("/time").onmessage = ({ data }) => output.textContent = data;
</script>
</html>
`;

const server = serve({
  routes: {
    "/": new Response(page, {
      headers: { "content-type": "text/html;charset=utf-8" },
    }),
    "/time": (request) =>
      new Response(eventStream(everySecond(request.signal)), {
        headers: {
          "content-type": "text/event-stream",
          "cache-control": "no-store",
        },
      }),
  },
});

console.log(`Listening on ${server.url}`);

/** One event at once and then every second, until the client leaves. */
async function* everySecond(signal: AbortSignal): AsyncGenerator<string> {
  while (!signal.aborted) {
    yield `data: ${new Date().toLocaleTimeString("en-GB")}\n\n`;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Text that is produced while it is sent. */
function eventStream(events: AsyncIterable<string>): ReadableStream {
  return ReadableStream.from(events).pipeThrough(new TextEncoderStream());
}
