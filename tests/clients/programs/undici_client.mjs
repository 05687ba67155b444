/**
 * undici, the client in Node.js, with more than its `fetch` shows:
 * `node undici_client.mjs FOLDER URL`, where FOLDER has it installed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createRequire } from "node:module";
import { argv } from "node:process";

const [, , folder, url] = argv;
const { Agent, Client, fetch, request, WebSocket } = createRequire(
  `${folder}/`,
)("undici");

/** Many requests over one connection, one after the other. */
async function keepsAlive() {
  const dispatcher = new Agent({ connections: 1 });
  const ports = new Set();
  for (let index = 0; index < 50; index++) {
    const response = await fetch(`${url}port`, { dispatcher });
    ports.add(await response.text());
  }
  assert.equal(ports.size, 1);
  await dispatcher.close();
}

/** Many requests at once over one connection. */
async function pipelines() {
  const client = new Client(url, { pipelining: 16 });
  const paths = Array.from(
    { length: 200 },
    (_, index) => index % 10 === 0 ? `/slow/${index}` : `/number/${index}`,
  );
  const bodies = await Promise.all(
    paths.map(async (path) => {
      const { body } = await client.request({ path, method: "GET" });
      return await body.text();
    }),
  );
  assert.deepEqual(bodies, paths.map((path) => path.split("/").pop()));
  await client.close();
}

async function methods() {
  const head = await request(`${url}number/12345`, { method: "HEAD" });
  assert.equal(head.headers["content-length"], "5");
  assert.equal(await head.body.text(), "");

  const text = "é🫖".repeat(100_000);
  for (
    const body of [text, new Blob([text]), new Blob([text]).stream()]
  ) {
    const response = await fetch(`${url}echo`, {
      method: "POST",
      body,
      duplex: "half",
    });
    assert.equal(await response.text(), text);
  }

  const first = await fetch(`${url}static`);
  const etag = first.headers.get("etag");
  assert.equal(await first.text(), "static");
  const second = await fetch(`${url}static`, {
    headers: { "if-none-match": etag },
  });
  assert.equal(second.status, 304);
}

/** Leaves a stream in its middle, after which others are served. */
async function aborts() {
  const controller = new AbortController();
  const response = await fetch(`${url}endless`, { signal: controller.signal });
  const reader = response.body.getReader();
  assert.equal((await reader.read()).done, false);
  controller.abort();
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
  assert.equal(await (await fetch(`${url}number/1`)).text(), "1");
}

async function talks() {
  const socket = new WebSocket(url.replace("http", "ws") + "socket", ["chat"]);
  socket.binaryType = "arraybuffer";
  await once(socket, "open");
  assert.equal(socket.protocol, "chat");
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    socket.send("x".repeat(size));
    const [{ data }] = await once(socket, "message");
    assert.equal(data, "x".repeat(size));
    socket.send(Buffer.alloc(size, size));
    const [{ data: bytes }] = await once(socket, "message");
    assert.ok(Buffer.alloc(size, size).equals(Buffer.from(bytes)));
  }
  const closed = once(socket, "close");
  socket.close(4001, "enough");
  const [{ code, reason, wasClean }] = await closed;
  assert.deepEqual([code, reason, wasClean], [4001, "enough", true]);
}

await keepsAlive();
await pipelines();
await methods();
await aborts();
await talks();
console.log("all is well");
