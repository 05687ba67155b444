/**
 * Programs that others have written.
 *
 * @module
 */

const decoder = new TextDecoder();
/** Generous, so that only a hang ever meets it. Milliseconds. */
const DEADLINE = 60_000;

/** What a program left. */
export interface Output {
  /** Its exit code. */
  readonly code: number;
  /** What it printed. */
  readonly text: string;
  /** What it printed as errors. */
  readonly errors: string;
}

/** Whether a program is there. */
export async function found(name: string): Promise<boolean> {
  const { code } = await runProgram("sh", ["-c", 'command -v "$0"', name]);
  return code === 0;
}

/** Runs a program to its end. */
export async function runProgram(
  path: string,
  args: readonly string[],
  input = "",
): Promise<Output> {
  const child = new Deno.Command(path, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(DEADLINE),
  }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input))
    .then(() => writer.close())
    // It need not read it.
    .catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await written;
  const [text, errors] = [stdout, stderr].map((bytes) => decoder.decode(bytes));
  return { code, text: text!, errors: errors! };
}
