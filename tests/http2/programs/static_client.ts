/**
 * Asks for what a server answers without JavaScript: the origin, the hash of the
 * file, and a path are arguments. Writes a line when it is connected, and what it
 * got; then there is a file at the path.
 *
 * @module
 */

import { hash, Http2Client } from "../client.ts";

const [origin, expected, marker] = Deno.args;
await using client = new Http2Client(origin!);
await client.fetch("/static");
console.log("connected");
await new Promise((resolve) => setTimeout(resolve, 300));
let answers = 0;
for (let round = 0; round < 50; round++) {
  const [text, file, metrics] = await Promise.all([
    client.text("/static"),
    client.fetch("/file"),
    client.text("/metrics"),
  ]);
  if (text === "static") answers++;
  if (hash(file.content) === expected) answers++;
  if (metrics.includes("# TYPE")) answers++;
}
console.log(JSON.stringify({ answers }));
await Deno.writeTextFile(marker!, "");
