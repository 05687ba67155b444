/**
 * Gets h2spec, which is written in Go.
 *
 * @module
 */

/** The newest version that the proxy of Go's modules has. */
const VERSION = "v2.2.1+incompatible";
const MODULE = "github.com/summerwind/h2spec/cmd/h2spec";
const decoder = new TextDecoder();

/**
 * Installs h2spec in the user's cache directory, unless it is there already.
 *
 * @returns The path of the program.
 * @throws {Error} Without Go, or if it cannot be installed.
 */
export async function installSuite(): Promise<string> {
  const home = Deno.env.get("HOME") ?? "/tmp";
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  const folder = `${caches}/jstime-serve-h2spec-${VERSION}`;
  const program = `${folder}/h2spec`;
  if (await answers(program, "--version")) return program;
  const go = await findGo();
  if (go === undefined) {
    throw new Error(
      "Cannot find Go, which h2spec is written in: install it, or name it by $GO",
    );
  }
  console.log(`Installing h2spec ${VERSION} into ${folder}`);
  const { success, stderr } = await new Deno.Command(go, {
    args: ["install", `${MODULE}@${VERSION}`],
    env: { GOBIN: folder, GO111MODULE: "on" },
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(`Cannot install h2spec:\n${decoder.decode(stderr)}`);
  }
  if (!await answers(program, "--version")) {
    throw new Error(`${program} does not run`);
  }
  return program;
}

async function findGo(): Promise<string | undefined> {
  // Where its own installer puts it, without a link.
  for (const path of [Deno.env.get("GO"), "go", "/usr/local/go/bin/go"]) {
    if (path && await answers(path, "version")) return path;
  }
}

async function answers(path: string, argument: string): Promise<boolean> {
  try {
    const options = { args: [argument] };
    return (await new Deno.Command(path, options).output()).success;
  } catch {
    return false;
  }
}
