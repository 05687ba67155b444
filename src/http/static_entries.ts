/**
 * Which routes an engine can answer without JavaScript, and how. Everything
 * that cannot be said by a fixed answer stays with the router.
 *
 * @module
 */

import type { StaticEntry } from "../engine/engine.ts";
import { mayRead } from "../runtime/environment.ts";
import { isPlainPath } from "../runtime/request_target.ts";
import { hasContent } from "../runtime/response_content.ts";
import {
  type FileTarget,
  METHODS,
  type RouteTarget,
  type StaticTarget,
} from "./route_table.ts";
import type { RouteNode, Router } from "./router.ts";

/** These decide about the connection, which takes a look at each request. */
const CONNECTION_HEADERS = ["connection", "keep-alive", "upgrade"];
const FRAMING_HEADERS = ["content-length", "transfer-encoding"];

/** RFC 9110, section 8.8.3. */
const ENTITY_TAG = /^(?:W\/)?"[!#-~\x80-\xff]*"$/;

/**
 * The answers of the router's exact paths that never change. Resolves when the
 * content of all static responses has been read; never rejects.
 */
export async function staticEntries(
  router: Router<RouteTarget>,
): Promise<StaticEntry[]> {
  const entries: Promise<StaticEntry | undefined>[] = [];
  for (const [path, node] of router.exactRoutes()) {
    if (!isPlainPath(path)) continue;
    for (const [target, methods] of targetsOf(node)) {
      if (target.kind === "static") {
        entries.push(staticEntry(path, methods, target));
      } else if (target.kind === "file") {
        entries.push(Promise.resolve(fileEntry(path, methods, target)));
      }
    }
  }
  const found = await Promise.all(entries);
  return found.filter((entry) => entry !== undefined);
}

/** Where a path leads; undefined stands for any method. */
function* targetsOf(
  node: RouteNode<RouteTarget>,
): Iterable<[RouteTarget, readonly string[] | undefined]> {
  if (node.isForAnyMethod) {
    const target = node.forMethod("GET");
    if (target !== undefined) yield [target, undefined];
    return;
  }
  const byTarget = new Map<RouteTarget, string[]>();
  for (const method of METHODS) {
    const target = node.forMethod(method);
    if (target === undefined) continue;
    const methods = byTarget.get(target);
    if (methods === undefined) byTarget.set(target, [method]);
    else methods.push(method);
  }
  yield* byTarget;
}

async function staticEntry(
  path: string,
  methods: readonly string[] | undefined,
  { answer }: StaticTarget,
): Promise<StaticEntry | undefined> {
  try {
    await answer.ready;
  } catch {
    // The router tells whoever asks for it.
    return undefined;
  }
  const { response, notModified } = answer;
  const { status } = response;
  const headers = new Headers(response.headers);
  if (!isFixed(headers)) return undefined;
  // What the user said about absent content counts for HEAD requests.
  if (headers.has("content-length") && !hasContent(response)) return undefined;
  if (notModified !== undefined && !hasEntityTag(headers)) return undefined;
  for (const name of FRAMING_HEADERS) headers.delete(name);
  const bytes = await response.clone().bytes();
  return {
    path,
    methods,
    status,
    headers,
    content: {
      kind: "content",
      bytes,
      notModified: notModified && new Headers(notModified.headers),
    },
  };
}

function fileEntry(
  path: string,
  methods: readonly string[] = METHODS,
  { source, status, headers: given }: FileTarget,
): StaticEntry | undefined {
  const reading = methods.filter((method) =>
    method === "GET" || method === "HEAD"
  );
  // Without permission, the answer is an error.
  if (reading.length === 0 || source.isSlice || !mayRead(source.path)) {
    return undefined;
  }
  const headers = new Headers(given);
  if (!isFixed(headers) || headers.has("last-modified")) return undefined;
  for (const name of FRAMING_HEADERS) headers.delete(name);
  if (!headers.has("content-type")) headers.set("content-type", source.type);
  if (status === 200 && !headers.has("accept-ranges")) {
    headers.set("accept-ranges", "bytes");
  }
  const content = { kind: "file", path: source.path } as const;
  return { path, methods: reading, status, headers, content };
}

function isFixed(headers: Headers): boolean {
  return !CONNECTION_HEADERS.some((name) => headers.has(name));
}

function hasEntityTag(headers: Headers): boolean {
  return ENTITY_TAG.test(headers.get("etag") ?? "");
}
