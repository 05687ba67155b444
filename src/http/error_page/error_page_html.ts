/**
 * The development error page as HTML.
 *
 * Every text that is not written in this file goes through `escapeHtml`.
 *
 * @module
 */

import type { SourceReader } from "../../runtime/source_reader.ts";
import { errorPageStyle } from "./error_page_style.ts";
import type { ErrorReport } from "./error_report.ts";
import { excerptLines } from "./source_excerpt.ts";
import type { StackFrame } from "./stack_frames.ts";

/** The part of a request that the page shows. */
export interface ShownRequest {
  /** The request method. */
  readonly method: string;
  /** The path of the request target, without its query. */
  readonly path: string;
}

/** Frames from here are the server's own; the reader cares about theirs. */
const OWN_SOURCE = new URL("../../", import.meta.url).href;

/** How many frames show their source; the rest only their place. */
const MOST_EXCERPTS = 12;

/** Renders a whole HTML document. */
export function renderErrorPage(
  reports: readonly ErrorReport[],
  request: ShownRequest,
  readSource: SourceReader,
): string {
  const excerpts = new Excerpts(readSource);
  const first = reports[0];
  const title = first === undefined
    ? "Error"
    : `${first.name}: ${first.message}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title.slice(0, 200))}</title>
<style>${errorPageStyle}</style>
</head>
<body>
<main>
<p class="request"><b>${escapeHtml(request.method)}</b>
<span class="path">${escapeHtml(request.path)}</span>
<span class="status">500 Internal Server Error</span></p>
${reports.map((report) => renderReport(report, excerpts)).join("\n")}
<footer>This page is here because <code>development</code> is on. In production
clients get a bare 500; give <code>serve()</code> an <code>error</code> handler
to answer yourself.</footer>
</main>
</body>
</html>
`;
}

function renderReport(report: ErrorReport, excerpts: Excerpts): string {
  const code = report.code === ""
    ? ""
    : ` <code class="code">${escapeHtml(report.code)}</code>`;
  const message = report.message === ""
    ? ""
    : `<p class="message${report.isError ? "" : " value"}">${
      escapeHtml(report.message)
    }</p>\n`;
  const frames = renderFrames(report, excerpts);
  if (report.relation === "") {
    return `<h1>${escapeHtml(report.name)}${code}</h1>\n${message}${frames}`;
  }
  return `<section class="cause">
<h2><span class="relation">${escapeHtml(report.relation)}</span> ${
    escapeHtml(report.name)
  }${code}</h2>
${message}${frames}</section>`;
}

function renderFrames(report: ErrorReport, excerpts: Excerpts): string {
  const items: string[] = [];
  let runtime: StackFrame[] = [];
  let anyOpen = false;
  for (const frame of report.frames) {
    if (!isUserFrame(frame)) {
      runtime.push(frame);
      continue;
    }
    items.push(...renderRuntimeFrames(runtime));
    runtime = [];
    const source = report.framesReliable ? excerpts.of(frame) : "";
    if (source === "") {
      items.push(`<li>${renderFrame(frame)}</li>`);
      continue;
    }
    items.push(`<li><details${anyOpen ? "" : " open"}>
<summary class="frame">${renderCallAndPlace(frame)}</summary>
${source}</details></li>`);
    anyOpen = true;
  }
  items.push(...renderRuntimeFrames(runtime));
  if (items.length === 0) return "";
  return `<ol class="frames">\n${items.join("\n")}\n</ol>\n`;
}

function renderRuntimeFrames(frames: readonly StackFrame[]): string[] {
  if (frames.length === 0) return [];
  const count = frames.length === 1
    ? "1 frame outside your code"
    : `${frames.length} frames outside your code`;
  const items = frames.map((frame) => `<li>${renderFrame(frame)}</li>`);
  return [`<li><details class="group"><summary>${count}</summary>
<ul>${items.join("\n")}</ul></details></li>`];
}

function renderFrame(frame: StackFrame): string {
  return `<div class="frame">${renderCallAndPlace(frame)}</div>`;
}

function renderCallAndPlace(frame: StackFrame): string {
  const call = frame.call === "" || frame.call === "async"
    ? `<i>${frame.call === "" ? "" : "async "}(anonymous)</i>`
    : escapeHtml(frame.call);
  const slash = frame.module.lastIndexOf("/") + 1;
  const folder = frame.module.slice(0, slash).replace(/^file:\/\//, "");
  const position = frame.line === 0 ? "" : `:${frame.line}:${frame.column}`;
  return `<code class="call">${call}</code>
<span class="place">${escapeHtml(folder)}<b>${
    escapeHtml(frame.module.slice(slash))
  }</b>${position}</span>`;
}

function isUserFrame(frame: StackFrame): boolean {
  return frame.line > 0 && frame.module.startsWith("file:///") &&
    !frame.module.startsWith(OWN_SOURCE) &&
    !frame.module.includes("/node_modules/");
}

/** Reads each module once and stops after a while. */
class Excerpts {
  #readSource: SourceReader;
  #left = MOST_EXCERPTS;
  #lines = new Map<string, readonly string[] | undefined>();

  constructor(readSource: SourceReader) {
    this.#readSource = readSource;
  }

  /** The lines around a frame as HTML; empty when there are none. */
  of(frame: StackFrame): string {
    const lines = this.#left > 0 ? this.#linesOf(frame.module) : undefined;
    if (lines === undefined || frame.line > lines.length) return "";
    this.#left -= 1;
    const html = excerptLines(lines, frame).map((line) => {
      const number = `data-line="${line.number}"`;
      if (line.marked === "") {
        return `<span ${number}>${escapeHtml(line.before)}</span>`;
      }
      return `<span class="here" ${number}>${escapeHtml(line.before)}<mark>${
        escapeHtml(line.marked)
      }</mark>${escapeHtml(line.after)}</span>`;
    });
    return `<pre class="source">${html.join("")}</pre>`;
  }

  #linesOf(module: string): readonly string[] | undefined {
    if (!this.#lines.has(module)) {
      const text = this.#read(module)?.replace(/\r?\n$/, "");
      this.#lines.set(module, text?.split(/\r?\n/));
    }
    return this.#lines.get(module);
  }

  #read(module: string): string | undefined {
    try {
      return this.#readSource(module);
    } catch {
      return undefined;
    }
  }
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // HTML has no place for NUL, and parsers disagree about it.
  "\0": "\uFFFD",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (character) => ESCAPES[character]!);
}
