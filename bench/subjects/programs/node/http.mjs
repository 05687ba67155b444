// HTTP with node:http and node:https.
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { sendFile } from "./file.mjs";

const TEXT = { "content-type": "text/plain;charset=UTF-8" };
const tenHeaders = {
  ...TEXT,
  ...Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`x-field-${index}`, `${index}`]),
  ),
};
const chunk = Buffer.alloc(1024, "a");

/** An HTTP server for one variant; it does not listen yet. */
export function serve(plan) {
  const handler = handlerFor(plan);
  const server = plan.tls
    ? createSecureServer(plan.tls, handler)
    : createServer(handler);
  server.keepAliveTimeout = 255_000;
  return server;
}

function handlerFor(plan) {
  switch (plan.variant) {
    case "hello":
      return (_, response) => sendText(response, "Hello");
    case "async":
      return async (_, response) => {
        await Promise.resolve();
        sendText(response, "Hello");
      };
    case "static":
      return ({ url }, response) =>
        url === "/static" ? sendText(response, "Hello") : notFound(response);
    case "params":
      return params;
    case "routes":
      return thousandRoutes();
    case "json":
      return json;
    case "headers":
      return (_, response) => send(response, tenHeaders, "Hello");
    case "stream":
      return sixteenChunks;
    case "upload":
      return async (request, response) => {
        const content = await contentOf(request);
        sendText(response, String(content.length));
      };
    case "file":
      return (request, response) => sendFile(plan.file, request, response);
    default:
      throw new Error(`Cannot serve "${plan.variant}"`);
  }
}

function params({ url }, response) {
  const parts = url.split("/");
  if (parts.length !== 5 || parts[1] !== "users" || parts[3] !== "posts") {
    return notFound(response);
  }
  const user = decodeURIComponent(parts[2]);
  const post = decodeURIComponent(parts[4]);
  sendText(response, `${user} ${post}`);
}

function thousandRoutes() {
  const routes = new Map(
    Array.from(
      { length: 1000 },
      (_, index) => [`/group-${index % 40}/kind-${index}`, sendText],
    ),
  );
  return ({ url }, response) => {
    const end = url.lastIndexOf("/");
    const route = routes.get(url.slice(0, end));
    if (route === undefined) return notFound(response);
    route(response, decodeURIComponent(url.slice(end + 1)));
  };
}

async function json(request, response) {
  if (request.method !== "POST" || request.url !== "/orders") {
    return notFound(response);
  }
  const content = await contentOf(request);
  const { customer, items } = JSON.parse(content.toString());
  send(
    response,
    { "content-type": "application/json" },
    JSON.stringify({ customer, items: items.length }),
  );
}

async function sixteenChunks(_, response) {
  response.writeHead(200);
  for (let count = 0; count < 16; count++) {
    if (response.write(chunk)) continue;
    await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}

async function contentOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Sends a text. */
export function sendText(response, text) {
  send(response, TEXT, text);
}

function send(response, headers, content) {
  response.writeHead(200, {
    ...headers,
    "content-length": Buffer.byteLength(content),
  });
  response.end(content);
}

function notFound(response) {
  response.writeHead(404);
  response.end();
}
