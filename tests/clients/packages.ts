/**
 * Packages from npm that tests run as programs of their own.
 *
 * @module
 */
import { found, type Output, runProgram } from "./run_program.ts";

/** A folder with packages, or why there is none. */
export type Packages =
  | { readonly folder: string }
  | { readonly reason: string };

/**
 * Installs packages into the user's cache directory, unless they are there.
 *
 * @param name What the folder is called.
 * @param versions Names with exact versions, such as `ws@8.18.0`.
 */
export async function packages(
  name: string,
  versions: readonly string[],
): Promise<Packages> {
  for (const program of ["node", "npm"]) {
    if (!await found(program)) return { reason: `there is no ${program}` };
  }
  const home = Deno.env.get("HOME") ?? "/tmp";
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  const key = [name, ...versions].join(",").replaceAll(/[^\w.]+/g, "-");
  const parent = `${caches}/jstime-serve-clients`;
  const folder = `${parent}/${key}`;
  if (await exists(`${folder}/node_modules`)) return { folder };
  await Deno.mkdir(parent, { recursive: true });
  // Whoever looks meanwhile sees all of it or nothing.
  const part = await Deno.makeTempDir({ dir: parent });
  const { code, errors } = await install(part, versions);
  if (code !== 0) {
    await Deno.remove(part, { recursive: true });
    return { reason: `npm cannot install: ${errors.trim().split("\n")[0]}` };
  }
  await Deno.rename(part, folder).catch(async (error) => {
    await Deno.remove(part, { recursive: true });
    if (!await exists(`${folder}/node_modules`)) throw error;
  });
  return { folder };
}

async function install(
  folder: string,
  versions: readonly string[],
): Promise<Output> {
  await Deno.writeTextFile(`${folder}/package.json`, "{}");
  return await runProgram("npm", [
    "install",
    ...["--prefix", folder, "--ignore-scripts", "--legacy-peer-deps"],
    ...["--no-audit", "--no-fund", "--loglevel", "error"],
    // Without a network it should not take minutes to notice.
    ...["--fetch-retries", "0", "--fetch-timeout", "20000"],
    ...versions,
  ]);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
