/**
 * A client of socket.io: `node socket_io_client.mjs FOLDER URL`, where FOLDER
 * has it installed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createRequire } from "node:module";
import { argv } from "node:process";

const [, , folder, url] = argv;
const { io } = createRequire(`${folder}/`)("socket.io-client");

function connect(transports) {
  return new Promise((resolve, reject) => {
    const socket = io(url, { transports, forceNew: true });
    socket.on("connect", () => resolve(socket));
    socket.on("connect_error", reject);
  });
}

for (
  const transports of [["polling"], ["websocket"], ["polling", "websocket"]]
) {
  const socket = await connect(transports);
  const { engine } = socket.io;
  if (transports.length > 1 && engine.transport.name === "polling") {
    await new Promise((resolve) => engine.once("upgrade", resolve));
  }
  const value = { list: [1, null, "é🫖"], bytes: Buffer.from([0, 1, 255]) };
  const echoed = await socket.emitWithAck("echo", value);
  assert.deepEqual(echoed, value);
  const long = "x".repeat(300_000);
  assert.equal(await socket.emitWithAck("echo", long), long);
  const many = Array.from({ length: 100 }, (_, index) => index);
  const answers = many.map((index) => socket.emitWithAck("echo", index));
  assert.deepEqual(await Promise.all(answers), many);

  // To everybody in a room, and to nobody else.
  const other = await connect(transports);
  const stranger = await connect(transports);
  stranger.on("news", () => assert.fail("Not for strangers"));
  await socket.emitWithAck("join", "room");
  await other.emitWithAck("join", "room");
  const heard = [socket, other].map((each) => once(each, "news"));
  await stranger.emitWithAck("tell", "room", "hello");
  assert.deepEqual(await Promise.all(heard), [["hello"], ["hello"]]);
  assert.equal(engine.transport.name, transports.at(-1));

  for (const each of [socket, other, stranger]) each.disconnect();
}

// When all have left, the server has nobody.
const last = await connect(["websocket"]);
while (await last.emitWithAck("count") !== 1) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
last.disconnect();
console.log("all is well");
