import type {
  Answer,
  ByteSource,
  OpenFile,
  StreamAnswer,
} from "../engine/engine.ts";
import { fileBehind } from "../file/file_stream.ts";
import { hasContent, lengthOf, streamOf } from "../runtime/response_content.ts";
import { startSource, StreamSource } from "./byte_source.ts";
import { answerFileResponse } from "./files/file_answer.ts";

/**
 * Turns what a handler returned into what an engine sends.
 *
 * @throws {TypeError} If the response was used or is an error response.
 * @throws {Error} With `code`, if it sends a file that cannot be opened. A
 * stream that fails at once rejects with its error.
 */
export function toAnswer(
  response: Response,
  request: Request,
  openFile: (path: string) => OpenFile,
): Answer | Promise<Answer> {
  if (response.bodyUsed) {
    throw new TypeError(
      "Cannot send the response: its body has already been used",
    );
  }
  const stream = streamOf(response);
  if (stream === null) {
    if (response.type === "error") throw errorResponse();
    return response;
  }
  const file = fileBehind(stream);
  if (file !== undefined) {
    return answerFileResponse(request, response, file, openFile);
  }
  if (stream.locked) {
    throw new TypeError("Cannot send the response: its body is being read");
  }
  if (request.method === "HEAD") {
    // Nobody will read the content: its producer may stop.
    stream.cancel().catch(() => {});
    return streamAnswer(response, EMPTY);
  }
  return startSource(new StreamSource(stream))
    .then((source) => streamAnswer(response, source));
}

/** Adds `Set-Cookie` lines to an answer. */
export function sendCookies(answer: Answer, lines: readonly string[]): Answer {
  if (!(answer instanceof Response)) {
    appendCookies(answer.headers, lines);
    return answer;
  }
  if (!hasContent(answer)) {
    // Such a response can be answered again, and then to another client, who
    // must not get these cookies.
    const copy = new Response(null, answer);
    appendCookies(copy.headers, lines);
    return copy;
  }
  try {
    appendCookies(answer.headers, lines);
    return answer;
  } catch {
    // The headers of fetched responses are immutable.
    const mutable = new Response(answer.body, answer);
    appendCookies(mutable.headers, lines);
    return mutable;
  }
}

function appendCookies(headers: Headers, lines: readonly string[]): void {
  for (const line of lines) headers.append("set-cookie", line);
}

function streamAnswer(response: Response, source: ByteSource): StreamAnswer {
  const { status } = response;
  const headers = new Headers(response.headers);
  const length = lengthOf(response);
  if (length !== undefined) headers.set("content-length", String(length));
  return { kind: "stream", status, headers, source };
}

const EMPTY: ByteSource = {
  read: () => Promise.resolve(undefined),
  cancel: () => {},
};

function errorResponse(): TypeError {
  return new TypeError(
    "Cannot send the response: it is an error response (Response.error())",
  );
}
