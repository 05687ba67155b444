/**
 * Answers that send a file.
 *
 * @module
 */

import type { FileAnswer, OpenFile } from "../../engine/engine.ts";
import type { FileSource } from "../../file/file_stream.ts";
import { fileError, isUnservable } from "../../runtime/file_error.ts";
import { isRangeCurrent, type Validators } from "./conditional.ts";
import {
  answerFileContent,
  clampRange,
  type FileContent,
  lastModifiedOf,
  lastModifiedText,
  sendAll,
  sendRange,
} from "./file_content.ts";
import { parseHttpDate } from "./http_date.ts";
import { type ByteRange, contentRange } from "./range.ts";

/** A route that leads to a file. */
export interface FileRoute {
  /** Which file, which part of it, and its media type. */
  readonly source: FileSource;
  /** Status of the answer. Default: 200. */
  readonly status?: number;
  /** Fields of the answer; what the user wrote is kept. */
  readonly headers?: Headers;
}

/**
 * Answers a request for a file route, with `Last-Modified`, conditions and
 * ranges. Ranges of a slice count from the start of the slice.
 *
 * @returns undefined if there is no file that could be sent.
 * @throws {Error} with `code`, if opening fails for another reason, for
 * example `EMFILE`.
 */
export function answerFileRoute(
  request: Request,
  route: FileRoute,
  openFile: (path: string) => OpenFile,
): FileAnswer | Response | undefined {
  const file = openServable(route.source.path, openFile);
  if (file === undefined) return undefined;
  try {
    return answerFileContent(request, routeContent(route, file));
  } catch (error) {
    file.close();
    throw error;
  }
}

function openServable(
  path: string,
  openFile: (path: string) => OpenFile,
): OpenFile | undefined {
  try {
    const file = openFile(path);
    if (file.info.isFile) return file;
    file.close();
  } catch (error) {
    if (!isUnservable(error)) throw error;
  }
  return undefined;
}

function routeContent(route: FileRoute, file: OpenFile): FileContent {
  const { source, status = 200 } = route;
  const headers = withoutFraming(new Headers(route.headers));
  const lastModified = lastModifiedOf(file);
  if (!headers.has("content-type")) headers.set("content-type", source.type);
  if (!headers.has("last-modified")) {
    headers.set("last-modified", lastModifiedText(lastModified));
  }
  if (status === 200 && !headers.has("accept-ranges")) {
    headers.set("accept-ranges", "bytes");
  }
  return {
    file,
    range: clampRange(source.start, source.end, file.info.size),
    status,
    headers,
    validators: route.headers === undefined
      ? { etag: undefined, lastModified }
      : validatorsIn(headers),
  };
}

/**
 * Answers with the file that a handler put into a response. The handler
 * decided what to send, so conditions are not looked at; `Range` counts for
 * GET with status 200. A slice that is not the whole file becomes 206.
 *
 * @throws {Error} with `code`, if the file cannot be opened: `ENOENT`,
 * `EISDIR`, ...
 */
export function answerFileResponse(
  request: Request,
  response: Response,
  source: FileSource,
  openFile: (path: string) => OpenFile,
): FileAnswer | Response {
  const file = openFile(source.path);
  try {
    if (!file.info.isFile) throw fileError("EISDIR", "read", source.path);
    // A copy: the handler may return the same response once more.
    const headers = withoutFraming(new Headers(response.headers));
    const range = clampRange(source.start, source.end, file.info.size);
    const status = sliceStatus(response.status, source, range, file, headers);
    const validators = validatorsIn(headers);
    const content = { file, range, status, headers, validators };
    const field = request.method === "GET" && status === 200 &&
        !source.isSlice
      ? request.headers.get("range")
      : null;
    return field !== null && isRangeCurrent(request.headers, validators)
      ? sendRange(content, field, false)
      : sendAll(content, request.method === "HEAD");
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The status for a slice; adds `Content-Range` if that is 206. */
function sliceStatus(
  status: number,
  source: FileSource,
  range: ByteRange,
  file: OpenFile,
  headers: Headers,
): number {
  if (!source.isSlice || (status !== 200 && status !== 206)) return status;
  const { size } = file.info;
  const length = range.end - range.start;
  // No Content-Range can express an empty part.
  if (length === size || length === 0) return status;
  if (!headers.has("content-range")) {
    headers.set("content-range", contentRange(range, size));
  }
  return 206;
}

/** The engine frames the content; what a user said about it may be wrong. */
function withoutFraming(headers: Headers): Headers {
  if (headers.has("content-length")) headers.delete("content-length");
  if (headers.has("transfer-encoding")) headers.delete("transfer-encoding");
  return headers;
}

function validatorsIn(headers: Headers): Validators {
  const lastModified = headers.get("last-modified");
  return {
    etag: headers.get("etag") ?? undefined,
    lastModified: lastModified === null
      ? undefined
      : parseHttpDate(lastModified),
  };
}
