/**
 * Files with `Deno.serve`: small ones are read at once, which costs far less
 * than a stream; of large ones, ranges are answered.
 *
 * @module
 */

const SMALL = 64 * 1024;

/** Serves a file. */
export function fileHandler(path: string): Deno.ServeHandler {
  return async (request) => {
    const range = request.headers.get("range");
    if (range !== null) return await sendRange(path, range);
    const { size } = await Deno.stat(path);
    if (size <= SMALL) return new Response(await Deno.readFile(path));
    const file = await Deno.open(path);
    return new Response(file.readable, {
      headers: { "content-length": String(size) },
    });
  };
}

async function sendRange(path: string, range: string): Promise<Response> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  const match = /^bytes=([0-9]+)-([0-9]+)$/.exec(range);
  const start = Number(match?.[1]);
  const last = Math.min(Number(match?.[2]), size - 1);
  if (!(start <= last)) {
    file.close();
    return new Response(null, { status: 416 });
  }
  await file.seek(start, Deno.SeekMode.Start);
  const length = last - start + 1;
  const headers = {
    "content-range": `bytes ${start}-${last}/${size}`,
    "content-length": String(length),
  };
  if (length > SMALL) {
    const content = file.readable.pipeThrough(firstBytes(length));
    return new Response(content, { status: 206, headers });
  }
  const content = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const count = await file.read(content.subarray(read));
    if (count === null) break;
    read += count;
  }
  file.close();
  return new Response(content, { status: 206, headers });
}

function firstBytes(
  count: number,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let left = count;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) controller.terminate();
    },
  });
}
