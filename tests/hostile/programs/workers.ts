/**
 * Serves from workers that are terminated without a word, while a server of
 * the main thread goes on, and prints what the process used at both ends.
 */
import { serve } from "../../../mod.ts";
import { usageOf } from "../program.ts";

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: () => new Response("main"),
});

async function ask(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { connection: "close" },
  });
  return await response.text();
}

async function cycle(): Promise<void> {
  const worker = new Worker(new URL("served_worker.ts", import.meta.url), {
    type: "module",
  });
  const port = await new Promise<number>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
  const text = await ask(port);
  if (text !== "worker") throw new Error(`Expected worker, got ${text}`);
  worker.terminate();
  // The port is free as soon as the worker's sockets are.
  for (let attempt = 0;; attempt++) {
    try {
      await ask(port);
    } catch {
      break;
    }
    if (attempt === 200) throw new Error("The worker's server outlived it");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  if (await ask(server.port!) !== "main") throw new Error("main is gone");
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}

for (let count = 0; count < 3; count++) await cycle();
await settle();
const before = usageOf(Deno.pid);
for (let count = 0; count < 10; count++) await cycle();
await settle();
console.log(`usage ${JSON.stringify([before, usageOf(Deno.pid)])}`);
await server.stop(true);
