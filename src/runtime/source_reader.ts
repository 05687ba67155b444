/**
 * Reads the source text behind a stack frame, for the development error page.
 *
 * The file names come from stack traces, and text inside an error message can
 * imitate a stack trace. So only local files that look like program source are
 * ever read: not `.env`, not `/etc/passwd`, not a share on another host.
 *
 * @module
 */

/** Returns the text of a module, or undefined when it is not to be had. */
export type SourceReader = (moduleUrl: string) => string | undefined;

const LARGEST_SOURCE = 1024 * 1024;
const SOURCE_EXTENSION = /\.[cm]?[jt]sx?$/i;

/**
 * Reads a local module. It never throws, never asks for a permission, and
 * returns undefined for remote modules, files over 1 MiB, and anything that is
 * not a regular file with a JavaScript or TypeScript extension.
 *
 * @param moduleUrl A `file:` URL as stack frames print it.
 * @returns The text, decoded as UTF-8.
 */
export function readModuleSource(moduleUrl: string): string | undefined {
  try {
    const url = new URL(moduleUrl);
    if (url.protocol !== "file:" || url.host !== "") return undefined;
    if (!SOURCE_EXTENSION.test(url.pathname)) return undefined;
    const permission = Deno.permissions.querySync({ name: "read", path: url });
    if (permission.state !== "granted") return undefined;
    const facts = Deno.statSync(url);
    if (!facts.isFile || facts.size > LARGEST_SOURCE) return undefined;
    return Deno.readTextFileSync(url);
  } catch {
    return undefined;
  }
}
