/**
 * undici over HTTP/2: `node undici_http2_client.mjs FOLDER URL`. The server's
 * certificate is not looked at.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { argv } from "node:process";

const [, , folder, url] = argv;
const { Agent, fetch } = createRequire(`${folder}/`)("undici");

const dispatcher = new Agent({
  allowH2: true,
  connections: 1,
  connect: { rejectUnauthorized: false },
});
const ports = new Set();
const bodies = await Promise.all(
  Array.from({ length: 50 }, async (_, index) => {
    const body = String(index).repeat(5000);
    const response = await fetch(`${url}echo`, {
      method: "POST",
      body,
      dispatcher,
    });
    ports.add(response.headers.get("x-port"));
    return await response.text() === body;
  }),
);
assert.ok(bodies.every(Boolean));
assert.equal(ports.size, 1);
await dispatcher.close();
console.log("all is well");
