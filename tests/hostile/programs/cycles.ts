/**
 * Starts and stops servers again and again, some of which fail to start, and
 * prints what the process used after the first cycles and after the last.
 */
import { serve } from "../../../mod.ts";
import { usageOf } from "../program.ts";

async function ask(url: URL): Promise<string> {
  // No connection of this side's may be kept for later.
  const response = await fetch(url, { headers: { connection: "close" } });
  return await response.text();
}

async function cycle(): Promise<void> {
  const servers = ["first", "second"].map((name) =>
    serve({
      hostname: "127.0.0.1",
      port: 0,
      development: false,
      routes: { "/static": new Response("static") },
      fetch: () => new Response(name),
    })
  );
  for (const [index, name] of ["first", "second"].entries()) {
    const { url } = servers[index]!;
    const text = await ask(url);
    if (text !== name) throw new Error(`Expected ${name}, got ${text}`);
    await ask(new URL("/static", url));
    servers[index]!.reload({ fetch: () => new Response("reloaded") });
    await ask(url);
  }
  const { port } = servers[0]!;
  await Promise.all(servers.map((server) => server.stop(true)));
  failToListen(port!);
}

/** Asks for a port that is taken. */
function failToListen(port: number): void {
  using _taken = Deno.listen({ hostname: "127.0.0.1", port });
  try {
    serve({ hostname: "127.0.0.1", port, fetch: () => new Response() });
  } catch (error) {
    if ((error as { code?: string }).code === "EADDRINUSE") return;
    throw error;
  }
  throw new Error(`Port ${port} was not taken`);
}

/** Lets go of what the platform frees later. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 200));
}

for (let count = 0; count < 20; count++) await cycle();
await settle();
const before = usageOf(Deno.pid);
for (let count = 0; count < 100; count++) await cycle();
await settle();
console.log(`usage ${JSON.stringify([before, usageOf(Deno.pid)])}`);
