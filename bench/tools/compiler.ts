/**
 * Compiles the few programs in C: the floor and the socket client.
 *
 * @module
 */

import { findProgram, outputOf, type Program } from "./program.ts";

/** `$CC`, else the system's compiler. */
export function findCompiler(): Promise<Program | undefined> {
  return findProgram([Deno.env.get("CC"), "cc", "gcc", "clang"], "--version");
}

/**
 * Compiles C sources to a program.
 *
 * @param folder All its `.c` files together are the program.
 * @throws {Error} With the compiler's words.
 */
export async function compile(
  compiler: Program,
  folder: string,
  output: string,
): Promise<string> {
  const sources: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".c")) sources.push(`${folder}/${name}`);
  }
  await outputOf(compiler.path, [
    ...["-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra"],
    ...["-o", output, ...sources.toSorted()],
  ]);
  return output;
}
