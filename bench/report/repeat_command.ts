/** Options that change what is shown, not what is measured. */
const shown: ReadonlySet<string> = new Set(["--markdown", "--no-page"]);

/** The command that repeats a run with some arguments. */
export function repeatCommand(args: readonly string[]): string {
  return ["deno task bench", ...args.filter((arg) => !shown.has(arg))].join(
    " ",
  );
}
