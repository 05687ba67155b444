/**
 * What a client gets when a handler failed and nobody else answered.
 *
 * @module
 */

import {
  readModuleSource,
  type SourceReader,
} from "../../runtime/source_reader.ts";
import { renderErrorPage } from "./error_page_html.ts";
import { type ErrorReport, reportError } from "./error_report.ts";
import type { StackFrame } from "./stack_frames.ts";

/** What the error page may know about a request: deliberately not its headers. */
export interface FailedRequest {
  /** The request method. */
  readonly method: string;
  /** The request URL or target; only its path is shown. */
  readonly url: string;
  /** The value of the Accept header; null when there is none. */
  readonly accept: string | null;
}

const LONGEST_PLAIN_TEXT = 64 * 1024;
const LONGEST_PATH = 2048;

/**
 * Describes an error to whoever is developing the server: an HTML page for
 * browsers, plain text for everybody else. It never throws, whatever was
 * thrown, and shows neither the environment nor any header.
 *
 * @param error The value that was thrown.
 * @param request The request that failed.
 * @param readSource Finds the source text of local modules.
 * @returns A response with status 500 that must not be cached.
 */
export function errorPage(
  error: unknown,
  request: FailedRequest,
  readSource: SourceReader = readModuleSource,
): Response {
  const reports = reportError(error);
  if (!acceptsHtml(request.accept)) {
    return development(plainText(reports), "text/plain;charset=utf-8");
  }
  const page = renderErrorPage(
    reports,
    { method: request.method, path: pathOf(request.url) },
    readSource,
  );
  return development(page, "text/html;charset=utf-8");
}

/**
 * The answer to an error in production: status 500 and nothing that could help
 * an attacker.
 */
export function productionError(): Response {
  return new Response("Something went wrong!", {
    status: 500,
    headers: { "content-type": "text/plain" },
  });
}

function development(content: string, type: string): Response {
  return new Response(content, {
    status: 500,
    headers: {
      "content-type": type,
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
    },
  });
}

function acceptsHtml(accept: string | null): boolean {
  if (accept === null) return false;
  return accept.slice(0, LONGEST_PATH).split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";");
    return type.trim().toLowerCase() === "text/html" &&
      !parameters.some((text) => /^\s*q\s*=\s*0(\.0*)?\s*$/i.test(text));
  });
}

function pathOf(url: string): string {
  const target = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  // A query can carry secrets, and this page may end up in a screenshot.
  const path = target.replace(/[?#].*$/s, "").slice(0, LONGEST_PATH);
  return path === "" ? "/" : path;
}

function plainText(reports: readonly ErrorReport[]): string {
  const lines: string[] = [];
  for (const report of reports) {
    const relation = report.relation === "" ? "" : `\n${report.relation}: `;
    lines.push(`${relation}${report.name}: ${report.message}`);
    for (const frame of report.frames) lines.push(`    at ${frameText(frame)}`);
  }
  return `${lines.join("\n").slice(0, LONGEST_PLAIN_TEXT)}\n`;
}

function frameText(frame: StackFrame): string {
  const place = frame.line === 0
    ? frame.module
    : `${frame.module}:${frame.line}:${frame.column}`;
  if (frame.call === "") return place;
  return frame.call === "async" ? `async ${place}` : `${frame.call} (${place})`;
}
