// Files for Node: small ones are read at once, large ones are streamed.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";

const SMALL = 64 * 1024;

/** Sends a file, or a range of it. */
export async function sendFile(path, request, response) {
  const { size } = await stat(path);
  const range = request.headers.range;
  if (range !== undefined) return sendRange(path, size, range, response);
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": size,
  });
  if (size <= SMALL) {
    response.end(await readFile(path));
  } else {
    createReadStream(path).pipe(response);
  }
}

function sendRange(path, size, range, response) {
  const match = /^bytes=([0-9]+)-([0-9]+)$/.exec(range);
  const start = Number(match?.[1]);
  const end = Math.min(Number(match?.[2]), size - 1);
  if (!(start <= end)) {
    response.writeHead(416);
    return response.end();
  }
  response.writeHead(206, {
    "content-type": "application/octet-stream",
    "content-range": `bytes ${start}-${end}/${size}`,
    "content-length": end - start + 1,
  });
  createReadStream(path, { start, end }).pipe(response);
}
