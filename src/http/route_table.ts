import { fileBehind, type FileSource } from "../file/file_stream.ts";
import { JSTimeFile } from "../file/jstime_file.ts";
import type { RouteHandler, Serve } from "../serve_types.ts";
import { streamOf } from "../runtime/response_content.ts";
import { EventStream } from "../sse/event_stream.ts";
import {
  type DirectoryPlan,
  resolveDirectoryRoute,
} from "./files/directory.ts";
import { type RouteNode, Router } from "./router.ts";
import { StaticAnswer } from "./static_answer.ts";
import { isThenable } from "./thenable.ts";

/** Runs a user's function. */
export interface HandlerTarget {
  readonly kind: "handler";
  readonly handler: RouteHandler;
}

/** Sends a fixed response. */
export interface StaticTarget {
  readonly kind: "static";
  readonly answer: StaticAnswer;
}

/** Sends a file. */
export interface FileTarget {
  readonly kind: "file";
  readonly source: FileSource;
  readonly status: number;
  readonly headers: Headers | undefined;
}

/** Sends a file below a directory. */
export interface DirectoryTarget {
  readonly kind: "directory";
  readonly plan: DirectoryPlan;
}

/** Sends what is published to a topic. */
export interface EventStreamTarget {
  readonly kind: "event-stream";
  readonly stream: EventStream;
}

/** Leaves the request to `fetch`. */
export interface FallThroughTarget {
  readonly kind: "fall-through";
}

/** What a route leads to. */
export type RouteTarget =
  | HandlerTarget
  | StaticTarget
  | FileTarget
  | DirectoryTarget
  | EventStreamTarget
  | FallThroughTarget;

/** The methods that a method table may name. */
export const METHODS: readonly string[] = [
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
];

/** The methods that an event stream answers. */
const READING_METHODS = ["GET", "HEAD"];

const FALL_THROUGH: FallThroughTarget = { kind: "fall-through" };

/** One target for every method. */
class AnyMethod implements RouteNode<RouteTarget> {
  readonly isForAnyMethod = true;
  readonly #target: RouteTarget;

  constructor(target: RouteTarget) {
    this.#target = target;
  }

  forMethod(_method: string): RouteTarget {
    return this.#target;
  }
}

/** A target for each method named; HEAD is answered from GET (RFC 9110, 9.3.2). */
class ByMethod implements RouteNode<RouteTarget> {
  readonly isForAnyMethod = false;
  readonly #targets: Map<string, RouteTarget>;

  constructor(targets: Map<string, RouteTarget>) {
    this.#targets = targets;
  }

  forMethod(method: string): RouteTarget | undefined {
    const target = this.#targets.get(method);
    if (target !== undefined || method !== "HEAD") return target;
    return this.#targets.get("GET");
  }
}

/**
 * Turns the `routes` option into a router.
 *
 * @throws {TypeError} If a pattern or a value is not one that a route may have.
 */
export function compileRoutes(
  routes: Readonly<Record<string, unknown>> | undefined,
): Router<RouteTarget> {
  const router = new Router<RouteTarget>();
  for (const [pattern, value] of Object.entries(routes ?? {})) {
    if (value === undefined) continue;
    router.add(pattern, compileValue(pattern, value));
  }
  return router;
}

function compileValue(pattern: string, value: unknown): RouteNode<RouteTarget> {
  const target = compileTarget(pattern, value);
  if (target !== undefined) return new AnyMethod(target);
  if (typeof value === "object" && value !== null) {
    if ("dir" in value) {
      const plan = resolveDirectoryRoute(
        pattern,
        value as Serve.DirectoryRoute,
      );
      return new AnyMethod({ kind: "directory", plan });
    }
    if (!isThenable(value)) return compileMethods(pattern, value);
  }
  throw invalidRoute(
    pattern,
    "expected a Response, a function, a method table, a file, { dir }, sse() or false",
    value,
  );
}

function compileMethods(
  pattern: string,
  table: object,
): RouteNode<RouteTarget> {
  const targets = new Map<string, RouteTarget>();
  for (const [method, value] of Object.entries(table)) {
    if (!METHODS.includes(method)) {
      throw invalidRoute(pattern, "unknown method", method);
    }
    if (value === undefined) continue;
    const target = compileTarget(pattern, value);
    if (target?.kind === "event-stream" && !READING_METHODS.includes(method)) {
      throw invalidRoute(
        `${method} ${pattern}`,
        "an event stream answers GET and HEAD",
        method,
      );
    }
    if (target === undefined) {
      throw invalidRoute(
        `${method} ${pattern}`,
        "expected a function, a Response, a file, sse() or false",
        value,
      );
    }
    targets.set(method, target);
  }
  if (targets.size === 0) {
    throw invalidRoute(pattern, "expected at least one method", table);
  }
  return new ByMethod(targets);
}

/** A value that may stand for a whole route or for one method of it. */
function compileTarget(
  pattern: string,
  value: unknown,
): RouteTarget | undefined {
  if (value === false) return FALL_THROUGH;
  if (typeof value === "function") {
    return { kind: "handler", handler: value as RouteHandler };
  }
  if (value instanceof JSTimeFile) {
    const { source } = value;
    return { kind: "file", source, status: 200, headers: undefined };
  }
  if (value instanceof EventStream) {
    return { kind: "event-stream", stream: value };
  }
  if (value instanceof Response) return compileResponse(pattern, value);
  return undefined;
}

function compileResponse(pattern: string, response: Response): RouteTarget {
  const stream = response.bodyUsed ? null : streamOf(response);
  const source = stream === null ? undefined : fileBehind(stream);
  if (source === undefined) {
    return { kind: "static", answer: new StaticAnswer(response, pattern) };
  }
  const { status, headers } = response;
  return { kind: "file", source, status, headers };
}

function invalidRoute(
  pattern: string,
  expected: string,
  value: unknown,
): TypeError {
  const shown = typeof value === "string"
    ? JSON.stringify(value)
    : Object.prototype.toString.call(value);
  return Object.assign(
    new TypeError(`Cannot add route "${pattern}": ${expected}, not ${shown}`),
    { code: "ERR_INVALID_ARG_TYPE" },
  );
}
