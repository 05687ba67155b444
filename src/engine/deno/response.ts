import type { Answer, FileAnswer, StreamAnswer } from "../engine.ts";
import type { DenoExchange } from "./exchange.ts";
import { CachedFile, SMALL_FILE } from "./file_cache.ts";
import { fileChanged, OpenFileSource } from "../open_file_source.ts";

// On Deno this global is an accessor, which costs more than what it is used for.
const { Response } = globalThis;

/** Makes an answer a `Response` that `Deno.serve` can send. */
export function toResponse(answer: Answer, exchange: DenoExchange): Response {
  if (answer instanceof Response) {
    exchange.handOver();
    exchange.end();
    return answer;
  }
  return answer.kind === "file"
    ? fileResponse(answer, exchange)
    : streamResponse(answer, exchange);
}

function fileResponse(answer: FileAnswer, exchange: DenoExchange): Response {
  const { file, start, end, status, headers, headOnly } = answer;
  const length = end - start;
  headers.set("content-length", String(length));
  if (headOnly || length === 0) {
    file.close();
    exchange.handOver();
    exchange.end();
    return new Response(null, { status, headers });
  }
  if (length > SMALL_FILE) {
    const source = new OpenFileSource(file, start, end);
    return streamResponse(
      { kind: "stream", status, headers, source },
      exchange,
    );
  }
  const response = smallFileResponse(answer, length);
  exchange.handOver();
  exchange.end();
  return withHeaders(response, headers);
}

function smallFileResponse(answer: FileAnswer, length: number): Response {
  const { file, start, end, status } = answer;
  if (!(file instanceof CachedFile)) {
    return new Response(readWhole(answer, length), { status });
  }
  return length === file.info.size && status === 200
    ? file.toResponse()
    : new Response(file.content.subarray(start, end), { status });
}

/** Adding headers costs half of what the constructor needs to copy them. */
function withHeaders(response: Response, headers: Headers): Response {
  const target = response.headers;
  for (const [name, value] of headers) target.append(name, value);
  return response;
}

/** The file's bytes, or a stream that cuts the connection. */
function readWhole(
  { file, start }: FileAnswer,
  length: number,
): Uint8Array<ArrayBuffer> | ReadableStream {
  const bytes = new Uint8Array(length);
  try {
    let filled = 0;
    while (filled < length) {
      const count = file.readSync(bytes.subarray(filled), start + filled);
      if (count === 0) break;
      filled += count;
    }
    // The head promises the file as it was when it was opened.
    if (filled === length && !file.hasChanged()) return bytes;
    return failedStream(fileChanged());
  } catch (error) {
    return failedStream(error);
  } finally {
    file.close();
  }
}

function failedStream(error: unknown): ReadableStream {
  return new ReadableStream({ start: (controller) => controller.error(error) });
}

function streamResponse(
  { status, headers, source }: StreamAnswer,
  exchange: DenoExchange,
): Response {
  let body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      body = controller;
    },
    async pull(controller) {
      try {
        const chunk = await source.read();
        exchange.progress();
        if (chunk !== undefined) return controller.enqueue(chunk);
        exchange.end();
        controller.close();
      } catch (error) {
        exchange.end();
        controller.error(error);
      }
    },
    cancel(reason) {
      exchange.leave();
      exchange.end();
      source.cancel(reason);
    },
  }, { highWaterMark: 0 });
  exchange.watch(() => {
    const reason = new IdleTimeoutError();
    exchange.end();
    source.cancel(reason);
    body.error(reason);
  });
  exchange.handOver();
  return new Response(stream, { status, headers });
}

/** Nothing was sent for too long. */
export class IdleTimeoutError extends Error {
  override name = "IdleTimeoutError";

  constructor() {
    super("Cannot go on with the response: nothing was sent for too long");
  }
}
