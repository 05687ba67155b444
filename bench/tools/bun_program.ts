/**
 * Finds Bun.
 *
 * @module
 */

/** The version that we compare with. */
export const bunVersion = "1.4.5";

/** A Bun that runs. */
export interface BunProgram {
  /** The program itself, not a wrapper: its CPU time is measured. */
  readonly path: string;
  /** What it says of itself. */
  readonly version: string;
}

/** Looks at `$BUN`, then at the path, then asks npm for the package. */
export async function findBun(): Promise<BunProgram | undefined> {
  for (const path of [Deno.env.get("BUN"), "bun"]) {
    const found = path && await tryBun(path);
    if (found) return found;
  }
  const printed = await textOf("npx", [
    ...["-y", "-p", `bun@${bunVersion}`, "-c", "command -v bun"],
  ]);
  return printed === undefined ? undefined : await tryBun(printed);
}

async function tryBun(path: string): Promise<BunProgram | undefined> {
  const version = await textOf(path, ["--version"]);
  return version === undefined ? undefined : { path, version };
}

async function textOf(
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
