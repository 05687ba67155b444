import { readFileSync } from "node:fs";

/**
 * Reads a whole text file at once, for configuration such as certificates.
 *
 * @throws {Error} with `code` such as `ENOENT`.
 */
export function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}
