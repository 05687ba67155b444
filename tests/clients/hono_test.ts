import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { packages } from "./packages.ts";
import { ProgramFile } from "./program_file.ts";

const installed = await packages("hono", ["hono@4.13.19", "semver@7.8.6"]);
const missing = "reason" in installed ? installed.reason : undefined;
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;
const folder = "folder" in installed ? installed.folder : "";

// As its documentation has it for Bun.
const server = `import "@jstime/serve/global";
import { serve } from "bun";
import { Hono } from "hono";
import {
  getConnInfo,
  serveStatic,
  upgradeWebSocket,
  websocket,
} from "hono/bun";
import { streamSSE } from "hono/streaming";

const app = new Hono();
app.use("/static/*", serveStatic({ root: "./" }));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/echo", async (c) => c.text(await c.req.text()));
app.get("/address", (c) => c.text(getConnInfo(c).remote.address));
app.get("/events", (c) =>
  streamSSE(c, async (stream) => {
    for (const data of ["one", "two"]) await stream.writeSSE({ data });
  }));
app.get("/throws", () => {
  throw new Error("no");
});
app.get("/socket", upgradeWebSocket(() => ({
  onOpen: (_, socket) => socket.send("hello"),
  onMessage: ({ data }, socket) => socket.send(data),
})));
app.onError((error, c) => c.text("caught " + error.message, 500));

const server = serve({ port: 0, fetch: app.fetch, websocket });
console.log("Listening on " + server.url);
`;

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  return `${response.status} ${await response.text()}`;
}

/** Sends a message, and what has come until it is answered. */
async function talk(url: string): Promise<unknown[]> {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  const received: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.onerror = reject;
    socket.onclose = () => resolve();
    socket.onmessage = ({ data }) => {
      received.push(typeof data === "string" ? data : new Uint8Array(data));
      if (received.length === 1) socket.send("text");
      if (received.length === 2) socket.send(Uint8Array.of(1, 2, 3));
      if (received.length === 3) socket.close();
    };
  });
  return received;
}

testOnEngines(
  "Hono: its adapter for Bun" + note,
  async ({ name }) => {
    await using file = await ProgramFile.write(folder, server);
    const path = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${path}/static`);
      await Deno.writeTextFile(`${path}/static/a.txt`, "a file");
      await using program = new RunningProgram({
        args: file.args,
        cwd: path,
        env: { JSTIME_ENGINE: name },
      });
      const url = await program.url();
      assertEquals(await text(`${url}users/7`), '200 {"id":"7"}');
      assertEquals(
        await text(`${url}echo`, { method: "POST", body: "hello" }),
        "200 hello",
      );
      assertEquals(await text(`${url}address`), "200 127.0.0.1");
      assertEquals(await text(`${url}static/a.txt`), "200 a file");
      assertEquals(await text(`${url}static/b.txt`), "404 404 Not Found");
      assertEquals(await text(`${url}throws`), "500 caught no");
      assertEquals(
        await text(`${url}events`),
        "200 data: one\n\ndata: two\n\n",
      );
      assertEquals(await talk(`${url}socket`), [
        ...["hello", "text", Uint8Array.of(1, 2, 3)],
      ]);
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  },
  { ignore: missing !== undefined },
);
