import { assert, assertEquals, assertRejects } from "@std/assert";
import { file, serve } from "@jstime/serve";
import { engineTest } from "../tls/engines.ts";
import { hash, Http2Client, noise, receive } from "./client.ts";
import {
  codeOf,
  DATA,
  frame,
  GOAWAY,
  HEADERS,
  NO_ERROR,
  PING,
  RawClient,
  request,
  statusOf,
} from "./raw_client.ts";

const common = { port: 0, hostname: "127.0.0.1", http2: true };

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

engineTest("a client that leaves a stream is noticed", async (engine) => {
  let [begun, aborted, cancelled] = [0, 0, 0];
  await using server = serve({
    ...common,
    engine,
    fetch: (request) => {
      begun++;
      request.signal.addEventListener("abort", () => aborted++);
      if (new URL(request.url).pathname === "/waits") {
        return new Promise<Response>(() => {});
      }
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(new Uint8Array(1000));
          },
          cancel() {
            cancelled++;
          },
        }),
      );
    },
  });
  await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
  const waiting = client.open("/waits");
  waiting.on("error", () => {});
  await until(() => begun === 1);
  waiting.close(8);
  await until(() => aborted === 1);

  const streaming = client.open("/streams");
  streaming.on("error", () => {});
  let received = 0;
  streaming.on("data", (chunk: Uint8Array) => received += chunk.length);
  await until(() => received > 10_000);
  streaming.close(8);
  await until(() => cancelled === 1 && server.pendingRequests === 0);
  // The others do not care.
  const last = client.open("/streams");
  last.on("error", () => {});
  await new Promise((resolve) => last.once("data", resolve));
  last.close(8);
  await until(() => cancelled === 2);
}, (features) => features.silentAbort);

engineTest("a connection that is cut ends its streams", async (engine) => {
  let [begun, aborted] = [0, 0];
  await using server = serve({
    ...common,
    engine,
    fetch: (request) => {
      begun++;
      request.signal.addEventListener("abort", () => aborted++);
      return new Promise<Response>(() => {});
    },
  });
  const client = new Http2Client(`http://127.0.0.1:${server.port}`);
  for (let index = 0; index < 50; index++) {
    client.open(`/${index}`).on("error", () => {});
  }
  await until(() => begun === 50);
  client.session.destroy();
  await until(() => aborted === 50 && server.pendingRequests === 0);
});

engineTest(
  "a slow reader holds up nobody, and its producer",
  async (engine) => {
    let produced = 0;
    const total = 8_000_000;
    await using server = serve({
      ...common,
      engine,
      fetch: (request) => {
        if (new URL(request.url).pathname === "/quick") {
          return new Response("ok");
        }
        return new Response(
          new ReadableStream({
            pull(controller) {
              if (produced >= total) return controller.close();
              controller.enqueue(new Uint8Array(50_000).fill(7));
              produced += 50_000;
            },
          }),
        );
      },
    });
    await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
    const slow = client.open("/slow");
    const received = receive(slow);
    slow.pause();
    await new Promise((resolve) => slow.once("response", resolve));
    for (let index = 0; index < 100; index++) {
      assertEquals(await client.text("/quick"), "ok");
    }
    assert(produced < 3_000_000, `${produced}`);
    slow.resume();
    const { content } = await received;
    assertEquals(content.length, total);
    assert(content.every((byte) => byte === 7));
  },
);

engineTest(
  "a handler that does not read holds up its client",
  async (engine) => {
    const { promise: mayRead, resolve: read } = Promise.withResolvers<void>();
    await using server = serve({
      ...common,
      engine,
      fetch: async (request) => {
        if (new URL(request.url).pathname === "/quick") {
          return new Response(await request.text());
        }
        const body = request.body!;
        await mayRead;
        return new Response(hash(await new Response(body).bytes()));
      },
    });
    await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
    const content = noise(6_000_000);
    const upload = client.open("/", { ":method": "POST" }, false);
    const received = receive(upload);
    upload.end(content);
    for (let index = 0; index < 20; index++) {
      const post = { ":method": "POST" };
      const { content } = await client.fetch("/quick", post, `${index}`);
      assertEquals(new TextDecoder().decode(content), `${index}`);
    }
    read();
    const { content: answer } = await received;
    assertEquals(new TextDecoder().decode(answer), hash(content));
  },
  // With Deno one such stream uses up the window of all.
  (features) => features.limits,
);

engineTest("an answer may come before the content", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    fetch: () => new Response("early"),
  });
  await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
  for (let index = 0; index < 20; index++) {
    const stream = client.open("/", { ":method": "POST" }, false);
    const received = receive(stream);
    stream.write(new Uint8Array(100_000));
    const { content } = await received;
    assertEquals(new TextDecoder().decode(content), "early");
    stream.close();
  }
  assertEquals(await client.text("/"), "early");
});

engineTest(
  "an answer that fails in the middle resets its stream",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      fetch: (request) => {
        if (new URL(request.url).pathname === "/ok") return new Response("ok");
        let count = 0;
        return new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 1));
              if (count++ === 5) throw new Error("A bug");
              controller.enqueue(new Uint8Array(10));
            },
          }),
        );
      },
    });
    await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
    await assertRejects(() => client.fetch("/fails"));
    assertEquals(await client.text("/ok"), "ok");
  },
);

engineTest(
  "stopping lets requests end, and begins no others",
  async (engine) => {
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const server = serve({
      ...common,
      engine,
      fetch: async () => {
        await mayEnd;
        return new Response(new Uint8Array(1000));
      },
    });
    const port = server.port!;
    await using client = await RawClient.connect(port);
    await client.request(1, ...request("/"));
    await until(() => server.pendingRequests === 1);
    await using idle = await RawClient.connect(port);
    await idle.send(frame(PING, 0, 0, new Uint8Array(8)));
    await idle.nextOf(PING);
    const stopped = server.stop();
    assertEquals(await idle.end(), NO_ERROR);
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
    // The first lets requests come that are on their way, the second does not.
    const { payload: first } = await client.nextOf(GOAWAY);
    assertEquals(codeOf(first, 0), 2 ** 31 - 1);
    const { payload: second } = await client.nextOf(GOAWAY);
    assertEquals(codeOf(second, 0), 1);
    assertEquals(codeOf(second, 4), NO_ERROR);
    end();
    assertEquals(statusOf(await client.nextOf(HEADERS)), 200);
    assertEquals((await client.nextOf(DATA)).payload.length, 1000);
    await stopped;
    assertEquals(await client.next(), undefined);
  },
  (features) => features.webSocketStop,
);

engineTest("stopping by force cuts streams", async (engine) => {
  let [begun, aborted] = [0, 0];
  const server = serve({
    ...common,
    engine,
    fetch: (request) => {
      begun++;
      request.signal.addEventListener("abort", () => aborted++);
      return new Promise<Response>(() => {});
    },
  });
  await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
  const answers = [client.fetch("/"), client.fetch("/")];
  const settled = Promise.allSettled(answers);
  await until(() => begun === 2);
  await server.stop(true);
  for (const { status } of await settled) assertEquals(status, "rejected");
  assertEquals(aborted, 2);
});

engineTest("idle streams and connections are cut", async (engine) => {
  await using server = serve({
    ...common,
    engine,
    idleTimeout: 1,
    fetch: (request, server) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/long") server.timeout(request, 30);
      if (pathname === "/hello") return new Response("hello");
      return new Promise<Response>((resolve) =>
        setTimeout(() => resolve(new Response("late")), 2500)
      );
    },
  });
  await using client = new Http2Client(`http://127.0.0.1:${server.port}`);
  const short = assertRejects(() => client.fetch("/short"));
  const long = client.text("/long");
  await short;
  // One late stream is no reason to cut another.
  assertEquals(await client.text("/hello"), "hello");
  assertEquals(await long, "late");
  await client.closed;
}, (features) => features.silentAbort && features.headDeadline);

/** Lets JavaScript do nothing else until there is a file; whether there is. */
function blockUntilThere(path: string): boolean {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      Atomics.wait(nobody, 0, 0, 10);
    }
  }
  return false;
}

engineTest("static answers while JavaScript is busy", async (engine) => {
  const path = await Deno.makeTempFile();
  const marker = `${path}.done`;
  const content = noise(2_000_000);
  await Deno.writeFile(path, content);
  await using server = serve({
    ...common,
    engine,
    routes: {
      "/static": new Response("static"),
      "/file": new Response(file(path)),
    },
    healthRoute: "/health",
    metricsRoute: "/metrics",
    fetch: () => new Response("dynamic"),
  });
  const origin = `http://127.0.0.1:${server.port}`;
  const program = new URL("./programs/static_client.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program.pathname, origin, hash(content), marker],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  // It is connected, and waits a moment.
  await reader.read();
  const isDone = blockUntilThere(marker);
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
  }
  await child.status;
  await Deno.remove(path);
  await Deno.remove(marker);
  const text = new TextDecoder().decode(
    await new Blob(chunks as BlobPart[]).bytes(),
  );
  assert(isDone, "it waits for JavaScript");
  assertEquals(JSON.parse(text), { answers: 150 });
}, (features) => features.stallProof);
