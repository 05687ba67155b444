/**
 * Routes that serve the files below a directory.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { sep } from "node:path";
import type {
  FileAnswer,
  OpenFile,
  OpenFileInfo,
} from "../../engine/engine.ts";
import { mediaTypeOf } from "../../file/media_type.ts";
import { fileError, isUnservable } from "../../runtime/file_error.ts";
import {
  openFile as open,
  realPath,
  statLink,
} from "../../runtime/file_system.ts";
import { decodeDirectoryPath } from "./directory_path.ts";
import {
  answerFileContent,
  type FileContent,
  lastModifiedOf,
  lastModifiedText,
} from "./file_content.ts";
import { pathStart } from "../../runtime/request_target.ts";

/** A directory route, checked. */
export interface DirectoryPlan {
  /** Absolute path of the directory, without symbolic links. */
  readonly root: string;
}

/** What a user writes as a directory route. */
export interface DirectoryRouteValue {
  /** The directory: a path or a `file:` URL. */
  readonly dir: string | URL;
}

const INDEX = "index.html";

/**
 * Checks a directory route when the server starts.
 *
 * The directory is looked up once: a symbolic link that is changed later does
 * not move the route to another directory.
 *
 * @throws {TypeError} if the route's path does not end in `/*`, has
 * parameters, or `dir` is no path.
 * @throws {Error} with `code` `ENOENT` or `ENOTDIR`, if there is no such
 * directory.
 */
export function resolveDirectoryRoute(
  routePath: string,
  value: DirectoryRouteValue,
): DirectoryPlan {
  if (!routePath.endsWith("/*") || routePath.includes("/:")) {
    throw new TypeError(
      `Cannot serve a directory at "${routePath}": expected a path that ends in "/*" and has no parameters`,
    );
  }
  const path = toPath(routePath, value.dir);
  const directory = open(path);
  directory.close();
  if (directory.info.isFile) throw fileError("ENOTDIR", "open", path);
  const root = realPath(path);
  if (root === undefined) throw fileError("ENOENT", "realpath", path);
  return { root };
}

function toPath(routePath: string, dir: unknown): string {
  if (dir instanceof URL) return fileURLToPath(dir);
  if (typeof dir === "string" && dir !== "" && !dir.includes("\0")) return dir;
  const shown = typeof dir === "string" ? JSON.stringify(dir) : typeof dir;
  throw new TypeError(
    `Cannot serve dir ${shown} at "${routePath}": expected a path or a file URL`,
  );
}

/**
 * Answers a request for a file below a directory: `ETag`, `Last-Modified`,
 * conditions and ranges; `index.html` for a directory, after a redirect to the
 * path with a slash at its end; 404 for everything else.
 *
 * @param rest The raw path after the route's prefix, without query.
 * @throws {Error} with `code`, if opening fails for a reason that is not the
 * client's, for example `EMFILE`.
 */
export function answerDirectory(
  request: Request,
  rest: string,
  plan: DirectoryPlan,
  openFile: (path: string) => OpenFile,
): FileAnswer | Response {
  const name = decodeDirectoryPath(rest);
  if (name === undefined) return notFound();
  const isDirectoryName = name === "" || name.endsWith("/");
  const path = below(plan.root) + (isDirectoryName ? name + INDEX : name);
  const file = openInside(path, plan.root, openFile);
  if (file === undefined) return notFound();
  if (!file.info.isFile) {
    file.close();
    return isDirectoryName ? notFound() : redirectToSlash(request);
  }
  try {
    return answerFileContent(request, {
      file,
      range: { start: 0, end: file.info.size },
      status: 200,
      ...describe(file, path),
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}

function below(root: string): string {
  return root.endsWith(sep) ? root : root + sep;
}

/** How often to look again when a file is replaced while it is opened. */
const ATTEMPTS = 3;

/**
 * Opens a file or directory unless it lies outside `root`, where a symbolic
 * link may lead.
 */
function openInside(
  path: string,
  root: string,
  openFile: (path: string) => OpenFile,
): OpenFile | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const file = openExisting(path, openFile);
    if (file === undefined) return undefined;
    const place = locate(file, path, root);
    if (place === "inside") return file;
    file.close();
    if (place === "outside") return undefined;
  }
  return undefined;
}

function openExisting(
  path: string,
  openFile: (path: string) => OpenFile,
): OpenFile | undefined {
  try {
    return openFile(path);
  } catch (error) {
    if (isUnservable(error) || isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * Where an open file lies. The path is resolved after opening, and what is
 * found there must be the open file itself: a link that was exchanged between
 * the two steps cannot pass one file off as another.
 */
function locate(
  file: OpenFile,
  path: string,
  root: string,
): "inside" | "outside" | "replaced" {
  try {
    const real = realPath(path);
    if (real === undefined) return "replaced";
    if (real !== root && !real.startsWith(below(root))) return "outside";
    const found = statLink(real);
    return found !== undefined && isSameFile(file.info, found)
      ? "inside"
      : "replaced";
  } catch (error) {
    if (isForbidden(error)) return "outside";
    file.close();
    throw error;
  }
}

function isSameFile(one: OpenFileInfo, other: OpenFileInfo): boolean {
  // Some systems number no files: there the path has to do.
  if (one.inode === undefined || other.inode === undefined) return true;
  return one.inode === other.inode && one.device === other.device;
}

/**
 * The directory could be opened when the server started, so what is forbidden
 * is another place that a link leads to.
 */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && error.name === "NotCapable";
}

function describe(
  file: OpenFile,
  path: string,
): Pick<FileContent, "headers" | "validators"> {
  const lastModified = lastModifiedOf(file);
  const etag = weakTag(file);
  const headers = new Headers();
  headers.append("content-type", mediaTypeOf(path));
  headers.append("last-modified", lastModifiedText(lastModified));
  headers.append("etag", etag);
  headers.append("accept-ranges", "bytes");
  return { headers, validators: { etag, lastModified } };
}

/** Weak: a file can change twice without its time or length showing it. */
function weakTag(file: OpenFile): string {
  const { size, modified } = file.info;
  return `W/"${size.toString(16)}-${Math.trunc(modified).toString(16)}"`;
}

function redirectToSlash(request: Request): Response {
  const { url, headers } = request;
  const target = url.slice(Math.max(0, pathStart(url, headers.get("host"))));
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const search = query === -1 ? "" : target.slice(query);
  const location = toLocation(`${path}/${search}`);
  return new Response(null, { status: 301, headers: { location } });
}

// Everything that may not stand in a URL as it is.
const TO_ENCODE = /[^\x21-\x7e]|["#<>\\^`{|}]/gu;

function toLocation(target: string): string {
  const encoded = target.toWellFormed().replace(TO_ENCODE, encodeURIComponent);
  // Two slashes at the start would name another host.
  return encoded.startsWith("//") ? `/.${encoded}` : encoded;
}
