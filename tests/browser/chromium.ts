/**
 * Runs headless Chromium on a page, for tests that want a browser's opinion.
 *
 * @module
 */

const CANDIDATES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Flags of a browser that only a test sees. */
export const QUIET_FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/**
 * The path of a Chromium, from `CHROMIUM` or the usual places; undefined when
 * there is none, in which case the reason has been printed.
 */
export function findChromium(): string | undefined {
  const paths = [Deno.env.get("CHROMIUM") ?? "", ...CANDIDATES];
  const found = paths.find((path) => path !== "" && exists(path));
  if (found === undefined) {
    console.warn(
      "Skipped browser tests: no Chromium found, install one or set CHROMIUM",
    );
  }
  return found;
}

/** Loads a page and returns its document as HTML after loading. */
export async function dumpDocument(
  chromium: string,
  url: string,
): Promise<string> {
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  try {
    const output = await new Deno.Command(chromium, {
      args: [
        ...QUIET_FLAGS,
        `--user-data-dir=${profile}`,
        "--virtual-time-budget=5000",
        "--dump-dom",
        url,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return new TextDecoder().decode(output.stdout);
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
