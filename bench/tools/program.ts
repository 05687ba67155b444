/**
 * Runs other programs.
 *
 * @module
 */

import { spawnChild } from "./children.ts";

const decoder = new TextDecoder();

/** A program that was found. */
export interface Program {
  /** Its path or name. */
  readonly path: string;
  /** What it says of itself, on one line. */
  readonly version: string;
}

/**
 * The first of some programs that runs.
 *
 * @param versionFlag Makes it say its version.
 */
export async function findProgram(
  candidates: readonly (string | undefined)[],
  versionFlag: string,
): Promise<Program | undefined> {
  for (const path of candidates) {
    if (!path) continue;
    const text = await tryOutput(path, [versionFlag]);
    if (text === undefined) continue;
    const version = text.split("\n")[0] ?? "";
    return { path, version: version.replace(/ Copyright.*/, "").trim() };
  }
  return undefined;
}

/**
 * What a program prints.
 *
 * @throws {Error} If it fails; the message holds what it said.
 */
export async function outputOf(
  path: string,
  args: readonly string[],
): Promise<string> {
  const { success, stdout, stderr } = await spawnChild(path, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot run ${path}: ${decoder.decode(stderr).trim()}`);
  }
  return decoder.decode(stdout);
}

/** What a program prints, whether it says that it failed or not. */
async function tryOutput(
  path: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: [...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return decoder.decode(stdout).trim() || undefined;
  } catch {
    return undefined;
  }
}
