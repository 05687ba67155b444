import { assert, assertEquals, assertRejects } from "@std/assert";
import { serve } from "@jstime/serve";
import { engineTest } from "./engines.ts";
import { entry } from "./certificates.ts";
import { httpClient, HttpsConnection } from "./client.ts";
import { hello } from "./client_hello.ts";

const request = "GET / HTTP/1.1\r\nHost: first.test\r\n\r\n";
const common = { port: 0, hostname: "127.0.0.1", tls: [entry("first")] };

/** A handler that says when it was called and answers when it is told to. */
function paused() {
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const fetch = async () => {
    called.resolve();
    await answer.promise;
    return new Response("done");
  };
  return { called: called.promise, answer: answer.resolve, fetch };
}

engineTest("stop waits for requests and closes the rest", async (engine) => {
  const { called, answer, fetch } = paused();
  const server = serve({
    ...common,
    engine,
    routes: { "/idle": new Response() },
    fetch,
  });
  const port = server.port!;
  await using idle = await HttpsConnection.open(port);
  await idle.get("/idle");
  await using busy = await HttpsConnection.open(port);
  await busy.send(request);
  await called;
  // Silent, and in the middle of a handshake.
  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const starting = await Deno.connect({ hostname: "127.0.0.1", port });
  await starting.write(Uint8Array.from(hello("first.test")));
  await starting.read(new Uint8Array(16));
  assertEquals(server.pendingRequests, 1);
  let isStopped = false;
  const stopped = server.stop().then(() => isStopped = true);
  assert(!(await idle.rest()).includes("HTTP/1.1 200 OK\r\n\r\n"));
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  assertEquals(isStopped, false);
  answer();
  assertEquals(await busy.receive(), "done");
  await busy.rest();
  await stopped;
  assertEquals(server.pendingRequests, 0);
  silent.close();
  starting.close();
});

engineTest("a forced stop cuts everything", async (engine) => {
  const { called, answer, fetch } = paused();
  const server = serve({ ...common, engine, fetch });
  await using busy = await HttpsConnection.open(server.port!);
  await busy.send(request);
  await called;
  await server.stop(true);
  const rest = await busy.rest().catch(() => "");
  assert(!rest.includes("done"), rest);
  answer();
});

engineTest(
  "stop waits for WebSockets, and ends them by force",
  async (engine) => {
    for (const force of [false, true]) {
      const server = serve({
        ...common,
        engine,
        fetch: (request, server) => {
          server.upgrade(request);
        },
        websocket: { message: (socket, message) => void socket.send(message) },
      });
      using client = httpClient({ http2: false });
      const url = `wss://localhost:${server.port}/`;
      const socket = new WebSocket(url, { client } as unknown as string);
      await new Promise((resolve) => socket.onopen = resolve);
      const closed = new Promise((resolve) => socket.onclose = resolve);
      const stopped = server.stop(force);
      if (!force) {
        const answered = new Promise<MessageEvent>((resolve) =>
          socket.onmessage = resolve
        );
        socket.send("still here");
        assertEquals((await answered).data, "still here");
        socket.close();
      }
      await closed;
      await stopped;
    }
  },
);

engineTest("stop may be forced after it began to wait", async (engine) => {
  const { called, answer, fetch } = paused();
  const server = serve({ ...common, engine, fetch });
  await using busy = await HttpsConnection.open(server.port!);
  await busy.send(request);
  await called;
  const stopped = server.stop();
  await server.stop(true);
  await stopped;
  answer();
});

engineTest("stop works twice, and so does disposal", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: () => new Response(),
  });
  server.ref();
  await Promise.all([server.stop(), server.stop(), server.stop(true)]);
  server.unref();
  server.reload({ tls: [entry("second")] });
});

engineTest(
  "a port that is taken is reported, and leaves nothing",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      fetch: () => new Response(),
    });
    const options = {
      ...common,
      engine,
      port: server.port!,
      fetch: () => new Response(),
    };
    const error = await assertRejects(
      async () => await serve(options).stop(),
      Error,
      `Cannot listen on port ${server.port} of 127.0.0.1`,
    );
    assertEquals((error as Error & { code?: string }).code, "EADDRINUSE");
  },
);

engineTest("an unreferenced server lets the process end", async (engine) => {
  const module = new URL("../../mod.ts", import.meta.url);
  const client = new URL("./client.ts", import.meta.url);
  const source = `
    import { serve } from ${JSON.stringify(module.href)};
    import { httpClient, HttpsConnection } from ${JSON.stringify(client.href)};
    const tls = [${JSON.stringify(entry("first"))}];
    const fetch = () => new Response("ok");
    const engine = ${JSON.stringify(engine)};
    const server = serve({ port: 0, hostname: "127.0.0.1", engine, tls, fetch });
    const early = await HttpsConnection.open(server.port);
    console.log(await early.get("/"));
    server.unref();
    const late = await HttpsConnection.open(server.port);
    console.log(await late.get("/"));
    early.tls.unref();
    late.tls.unref();
  `;
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/program.ts`;
    await Deno.writeTextFile(program, source);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", "--no-check", "--config", config, program],
      },
    ).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([success, text(stdout)], [true, "ok\nok\n"], text(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
