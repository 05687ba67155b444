import { assertEquals } from "@std/assert";
import { RunningProgram } from "../entry/running_program.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { packages } from "./packages.ts";
import { ProgramFile } from "./program_file.ts";
import { runProgram } from "./run_program.ts";

const installed = await packages("socket-io", [
  ...["@socket.io/bun-engine@0.1.2", "socket.io@4.8.4"],
  ...["socket.io-client@4.8.4", "semver@7.8.6"],
]);
const missing = "reason" in installed ? installed.reason : undefined;
const note = missing === undefined ? "" : ` [skipped: ${missing}]`;
const folder = "folder" in installed ? installed.folder : "";

// As its documentation has it for Bun.
const server = `import { serve } from "bun";
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
io.on("connection", (socket) => {
  socket.on("echo", (value, answer) => answer(value));
  socket.on("join", (room, answer) => {
    socket.join(room);
    answer(true);
  });
  socket.on("tell", (room, news, answer) => {
    io.to(room).emit("news", news);
    answer(true);
  });
  socket.on("count", (answer) => answer(io.engine.clients.size));
});

const server = serve({ port: 0, ...engine.handler() });
console.log("Listening on " + server.url);
`;

/**
 * The engine's modules import each other without extensions, which Bun and
 * bundlers resolve and others do not.
 */
async function addExtensions(path: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await addExtensions(`${path}/${name}`);
    if (!name.endsWith(".js")) continue;
    const file = `${path}/${name}`;
    const text = await Deno.readTextFile(file);
    const changed = text.replaceAll(
      /(from "\.{1,2}\/[\w/-]+)"/g,
      '$1.js"',
    );
    if (changed === text) continue;
    await Deno.writeTextFile(`${file}.new`, changed);
    await Deno.rename(`${file}.new`, file);
  }
}

testOnEngines(
  "socket.io: its engine for Bun, by polling and by WebSockets" + note,
  async ({ name }) => {
    await addExtensions(`${folder}/node_modules/@socket.io/bun-engine/dist`);
    await using file = await ProgramFile.write(folder, server);
    await using program = new RunningProgram({
      args: file.args,
      env: { JSTIME_ENGINE: name },
    });
    const client = new URL("programs/socket_io_client.mjs", import.meta.url);
    const output = await runProgram("node", [
      ...[client.pathname, folder, await program.url()],
    ]);
    assertEquals(
      output,
      { code: 0, text: "all is well\n", errors: "" },
      program.output,
    );
  },
  { ignore: missing !== undefined },
);
