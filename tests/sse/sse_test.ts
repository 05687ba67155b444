/**
 * Event streams on the wire, on each engine.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { type Serve, serve, type Server, sse } from "@jstime/serve";
import type { Engine } from "../../src/engine/engine.ts";
import { deploy } from "../../src/entry/deploy.ts";
import { eventually } from "../hostile/program.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { EventClient } from "./event_client.ts";

type Listening = Server & { port: number };

/** A server with some routes. */
function listen(
  { name }: Engine,
  routes: Serve.Routes<undefined, string>,
  options: Partial<Serve.Options> = {},
): Listening {
  return serve({
    engine: name,
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    ...options,
    routes,
  }) as Listening;
}

/** The part of an id that tells a server's lives apart. */
function epochOf(id: string): string {
  return id.slice(0, id.lastIndexOf("-"));
}

testOnEngines(
  "an event has an id, and its data line by line",
  async (engine) => {
    await using server = listen(engine, { "/": sse({ topic: "t" }) });
    using client = await EventClient.open(server.port, "/");
    assertMatch(client.head, /^HTTP\/1\.1 200 /);
    assertMatch(
      client.head,
      /^content-type: text\/event-stream; charset=utf-8$/im,
    );
    assertMatch(client.head, /^cache-control: no-store$/im);

    assertEquals(server.publish("t", "one"), 3);
    assertEquals(server.publish("t", "a\nb\r\nc\rd\n"), 9);
    server.publish("t", "");
    const events = await client.received(3);
    const [first, second, third] = events.map(({ id }) => id);
    assertEquals(
      client.content,
      ":\n\n" +
        `id: ${first}\ndata: one\n\n` +
        `id: ${second}\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n` +
        `id: ${third}\ndata: \n\n`,
    );
    assertMatch(first!, /^[0-9a-z]+-1$/);
    assertEquals(second, `${epochOf(first!)}-2`);
    assertEquals(third, `${epochOf(first!)}-3`);
  },
);

testOnEngines("options show on the wire", async (engine) => {
  await using server = listen(engine, {
    "/": sse({
      topic: "t",
      event: "news: é",
      retry: 1234,
      headers: { "cache-control": "no-cache", "x-a": "b" },
    }),
  });
  using client = await EventClient.open(server.port, "/");
  assertMatch(client.head, /^cache-control: no-cache$/im);
  assertMatch(client.head, /^x-a: b$/im);
  server.publish("t", "é");
  const [event] = await client.received(1);
  assertEquals(
    client.content,
    `retry: 1234\n\nid: ${event!.id}\nevent: news: é\ndata: é\n\n`,
  );
});

testOnEngines("hostile data stays data", async (engine) => {
  await using server = listen(engine, { "/": sse({ topic: "t" }) });
  using client = await EventClient.open(server.port, "/");
  const texts = [
    "x\n\nevent: forged\ndata: forged\n\n",
    "x\r\rid: forged",
    "id: forged",
    ": no comment",
    " begins with a space",
    "a\0b",
    "\ufeffmark",
    "\u2028\u2029\u0085\v\f no line ends",
    "🫖".repeat(100),
    "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  ];
  for (const text of texts) server.publish("t", text);
  const events = await client.received(texts.length);
  assertEquals(
    events.map(({ data }) => data),
    texts.map((text) => text.replaceAll(/\r\n|\r/g, "\n")),
  );
  assert(events.every(({ type }) => type === "message"));
  assertEquals(
    events.map(({ id }) => id),
    events.map((_, index) => `${epochOf(events[0]!.id)}-${index + 1}`),
  );
  // What is no character is sent as one that is.
  server.publish("t", "\ud800");
  assertEquals(
    (await client.received(texts.length + 1)).at(-1)!.data,
    "\ufffd",
  );
});

testOnEngines(
  "bytes are Base64, and a Blob keeps its place",
  async (engine) => {
    await using server = listen(engine, { "/": sse({ topic: "t" }) });
    using client = await EventClient.open(server.port, "/");
    const bytes = new Uint8Array([0, 1, 2, 0xff]);
    assertEquals(server.publish("t", bytes), 4);
    assertEquals(server.publish("t", new Blob(["a Blob"]) as never), 6);
    assertEquals(server.publish("t", bytes.subarray(1, 3)), 2);
    assertEquals(server.publish("t", "last"), 4);
    const events = await client.received(4);
    assertEquals(events.map(({ data }) => data), [
      "AAEC/w==",
      btoa("a Blob"),
      "AQI=",
      "last",
    ]);
  },
);

testOnEngines("large events arrive whole, and in order", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", backpressureLimit: 2 ** 30 }),
  });
  using client = await EventClient.open(server.port, "/");
  const sizes = [1, 600, 20_000, 40_000, 3_000_000, 5];
  for (const size of sizes) server.publish("t", "x".repeat(size));
  const events = await client.received(sizes.length);
  assertEquals(events.map(({ data }) => data.length), sizes);
});

testOnEngines("who comes again gets what it has missed", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", history: 3 }),
    "/none": sse({ topic: "none", history: 0 }),
  });
  const datas = async (lastId: string | undefined, count: number) => {
    using client = await EventClient.open(server.port, "/", { lastId });
    const end = `end ${Math.random()}`;
    await eventually("it listens", () => server.subscriberCount("t") === 1);
    server.publish("t", end);
    const events = await client.received(count + 1);
    client.close();
    await eventually("it is gone", () => server.subscriberCount("t") === 0);
    assertEquals(events.at(-1)!.data, end);
    return events.slice(0, -1);
  };
  // The history begins before anybody listens.
  for (const text of ["1", "2", "3"]) {
    assertEquals(server.publish("t", text), 0);
  }
  assertEquals(await datas(undefined, 0), []);
  server.publish("t", "4");
  server.publish("t", "5");
  // The end of the first visit is the fourth message.
  const [first] = await datas("0-0", 3);
  const epoch = epochOf(first!.id);
  assertEquals(first!.id, `${epoch}-4`);

  for (const text of ["a", "b", "c"]) server.publish("t", text);
  const last = 10; // Three, an end, two, an end, and these.
  const after = async (id: string, count: number) =>
    (await datas(id, count)).map(({ data }) => data);
  assertEquals(await after(`${epoch}-${last - 2}`, 2), ["b", "c"]);
  for (const text of ["a", "b", "c"]) server.publish("t", text);
  // So old that some of what came behind it is forgotten.
  assertEquals(await after(`${epoch}-1`, 3), ["a", "b", "c"]);
  // Nothing came behind, or never will.
  assertEquals(await after(`${epoch}-999999`, 0), []);
  // Another server's, or this one's before it was started again.
  for (const text of ["d", "e", "f"]) server.publish("t", text);
  assertEquals(await after("abc-999999", 3), ["d", "e", "f"]);
  // No id of ours.
  for (
    const id of ["", "x", "7", `${epoch}`, `${epoch}-`, `${epoch}--1`, "-1"]
  ) {
    assertEquals(await after(id, 0), [], id);
  }
  assertEquals(await after(`${epoch}-${"9".repeat(400)}`, 0), []);

  server.publish("none", "1");
  using client = await EventClient.open(server.port, "/none", {
    lastId: `${epoch}-0`,
  });
  server.publish("none", "2");
  assertEquals((await client.received(1)).map(({ data }) => data), ["2"]);
});

testOnEngines("a restart tells its ids apart", async (engine) => {
  const routes = { "/": sse({ topic: "t" }) };
  const idOf = async () => {
    await using server = listen(engine, routes);
    using client = await EventClient.open(server.port, "/");
    server.publish("t", "x");
    return (await client.received(1))[0]!.id;
  };
  const before = await idOf();
  await using server = listen(engine, routes);
  // Its client has seen none of these, whatever their numbers are.
  server.publish("t", "1");
  server.publish("t", "2");
  using client = await EventClient.open(server.port, "/", { lastId: before });
  const events = await client.received(2);
  assertEquals(events.map(({ data }) => data), ["1", "2"]);
  assertNotEquals(epochOf(events[0]!.id), epochOf(before));
});

testOnEngines("the history is bounded in bytes", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", history: 10_000 }),
  });
  for (let count = 0; count < 30; count++) {
    server.publish("t", `${count} ${"x".repeat(100_000)}`);
  }
  using client = await EventClient.open(server.port, "/", { lastId: "0-0" });
  server.publish("t", "end");
  await client.until((content) => content.includes("data: end\n\n"));
  const numbers = client.events.map(({ data }) => parseInt(data));
  assertEquals(numbers.slice(0, -1), [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});

testOnEngines("silence is broken by comments", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", heartbeat: 0.2 }),
    "/never": sse({ topic: "t", heartbeat: 0 }),
  });
  using never = await EventClient.open(server.port, "/never");
  using client = await EventClient.open(server.port, "/");
  await client.until((content) => content === ":\n\n".repeat(4));
  assertEquals(never.content, ":\n\n");
});

testOnEngines("idleTimeout does not cut a quiet stream", async (engine) => {
  await using server = listen(engine, { "/": sse({ topic: "t" }) }, {
    idleTimeout: 1,
  });
  using client = await EventClient.open(server.port, "/");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  server.publish("t", "still here");
  assertEquals((await client.received(1))[0]!.data, "still here");
});

testOnEngines("a handler chooses the topic, and cookies", async (engine) => {
  await using server = listen(engine, {
    "/rooms/:id": async (request) => {
      request.cookies.set("seen", "yes");
      await Promise.resolve();
      return sse({ topic: request.params.id!, event: "said" });
    },
  });
  using tea = await EventClient.open(server.port, "/rooms/tea");
  using cake = await EventClient.open(server.port, "/rooms/cake");
  assertMatch(tea.head, /^set-cookie: seen=yes/im);
  assertEquals(server.publish("tea", "Earl Grey"), 9);
  assertEquals(server.publish("cake", "Lemon"), 5);
  assertEquals(server.publish("pie", "Apple"), 0);
  const [said] = await tea.received(1);
  assertEquals([said!.type, said!.data], ["said", "Earl Grey"]);
  assertEquals((await cake.received(1))[0]!.data, "Lemon");
  // It is remembered for a client that was there.
  tea.close();
  await eventually("it left", () => server.subscriberCount("tea") === 0);
  assertEquals(server.publish("tea", "missed"), 0);
  using again = await EventClient.open(server.port, "/rooms/tea", {
    lastId: said!.id,
  });
  assertEquals((await again.received(1))[0]!.data, "missed");
});

testOnEngines(
  "fetch may answer with events; server.fetch cannot",
  async (engine) => {
    await using server = listen(engine, {}, {
      fetch: () => sse({ topic: "t" }),
    });
    using client = await EventClient.open(server.port, "/anything");
    server.publish("t", "x");
    assertEquals((await client.received(1))[0]!.data, "x");
    await assertRejects(
      () => server.fetch("/"),
      TypeError,
      "needs a connection",
    );
  },
);

testOnEngines("GET and HEAD only", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t" }),
    "/get": { GET: sse({ topic: "t" }), POST: () => new Response("posted") },
    "/handler": () => sse({ topic: "t" }),
  });
  const ask = async (method: string, path: string) => {
    const response = await fetch(new URL(path, server.url), { method });
    const content = await response.text();
    const { status, headers } = response;
    return [status, headers.get("allow"), headers.get("content-type"), content];
  };
  const type = "text/event-stream; charset=utf-8";
  for (const path of ["/", "/handler", "/get"]) {
    assertEquals(await ask("HEAD", path), [200, null, type, ""]);
  }
  for (const path of ["/", "/handler"]) {
    for (const method of ["POST", "DELETE", "OPTIONS"]) {
      assertEquals(await ask(method, path), [405, "GET, HEAD", null, ""]);
    }
  }
  assertEquals((await ask("POST", "/get"))[3], "posted");
  assertEquals(server.subscriberCount("t"), 0);
  using client = await EventClient.open(server.port, "/get");
  server.publish("t", "x");
  await client.received(1);
});

testOnEngines("HTTP/1.0 clients read until the end", async (engine) => {
  const server = listen(engine, { "/": sse({ topic: "t" }) });
  using client = await EventClient.open(server.port, "/", { version: "1.0" });
  server.publish("t", "x");
  await client.received(1);
  assert(!/chunked/i.test(client.head));
  await server.stop();
  assertEquals(await client.ended(), "whole");
});

testOnEngines(
  "stop() ends streams, and with them the server",
  async (engine) => {
    const server = listen(engine, { "/": sse({ topic: "t", heartbeat: 0.1 }) });
    using client = await EventClient.open(server.port, "/");
    server.publish("t", "last words");
    assertEquals(server.pendingRequests, 1);
    await server.stop();
    assertEquals(await client.ended(), "whole");
    assertEquals(client.events[0]!.data, "last words");
    assertEquals(server.subscriberCount("t"), 0);
    assertEquals(server.publish("t", "nobody"), 0);
    assertEquals(server.pendingRequests, 0);
  },
);

testOnEngines("stop(true) cuts streams", async (engine) => {
  const server = listen(engine, { "/": sse({ topic: "t", heartbeat: 0.1 }) });
  using client = await EventClient.open(server.port, "/");
  await server.stop(true);
  assertEquals(await client.ended(), "cut");
  assertEquals(server.subscriberCount("t"), 0);
});

testOnEngines("reload keeps clients and history", async (engine) => {
  const stream = sse({ topic: "t" });
  await using server = listen(engine, { "/": stream });
  using client = await EventClient.open(server.port, "/");
  server.publish("t", "before");
  server.reload({ routes: { "/new": stream } });
  server.publish("t", "after");
  const [before] = await client.received(2);
  using other = await EventClient.open(server.port, "/new", {
    lastId: before!.id,
  });
  assertEquals((await other.received(1))[0]!.data, "after");
  const gone = await fetch(server.url);
  assertEquals(gone.status, 404);
  await gone.body?.cancel();
  assertEquals(server.subscriberCount("t"), 2);
});

testOnEngines("WebSockets and event streams share topics", async (engine) => {
  await using server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    routes: {
      "/events": sse({ topic: "t" }),
      "/socket": (request, server) => void server.upgrade(request),
    },
    websocket: {
      open: (socket) => void socket.subscribe("t"),
      message: (socket, message) => {
        socket.send(`status ${socket.publish("t", message)}`);
      },
    },
  }) as Listening;
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket`);
  const said: string[] = [];
  socket.onmessage = ({ data }) => said.push(data);
  await new Promise((resolve) => socket.onopen = resolve);

  socket.send("alone");
  await eventually("it is told", () => said.length === 1);
  using client = await EventClient.open(server.port, "/events");
  assertEquals(server.subscriberCount("t"), 2);
  assertEquals(server.publish("t", "to both"), 7);
  socket.send("from a socket");
  assertEquals(
    (await client.received(2)).map(({ data }) => data),
    ["to both", "from a socket"],
  );
  await eventually("it is told", () => said.length === 3);
  assertEquals(said, ["status 0", "to both", "status 13"]);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
});

testOnEngines("clients that leave are noticed", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", heartbeat: 0.1 }),
  });
  using stays = await EventClient.open(server.port, "/");
  const leaves = await EventClient.open(server.port, "/");
  assertEquals(server.subscriberCount("t"), 2);
  leaves.close();
  await eventually("it left", () => server.subscriberCount("t") === 1);
  server.publish("t", "x");
  await stays.received(1);
});

Deno.test("deploy() serves event streams", async () => {
  const { fetch: handler } = deploy({
    routes: {
      "/": sse({ topic: "t" }),
      "/publish": (_, server) =>
        new Response(String(server.publish("t", "hello"))),
    },
  });
  await using server = Deno.serve({
    port: 0,
    hostname: "127.0.0.1",
    onListen() {},
  }, (request, info) => handler(request, info as never));
  const { port } = server.addr;
  const client = await EventClient.open(port, "/");
  const published = await fetch(`http://127.0.0.1:${port}/publish`);
  assertEquals(await published.text(), "5");
  assertEquals((await client.received(1))[0]!.data, "hello");
  client.close();
});

testOnEngines("publish says whether a client has to wait", async (engine) => {
  await using server = listen(engine, {
    "/": sse({ topic: "t", backpressureLimit: 2 ** 30 }),
  });
  using client = await EventClient.ask(server.port, "/");
  await eventually("it listens", () => server.subscriberCount("t") === 1);
  const text = "x".repeat(100_000);
  let count = 0;
  await eventually("it has to wait", () => {
    // What systems keep for a connection comes first.
    for (let more = 0; more < 10; more++, count++) {
      if (server.publish("t", text) === -1) return true;
    }
    return false;
  });
  client.listen();
  await client.until(() => client.events.length > count);
  assertEquals(server.publish("t", text), text.length);
});
