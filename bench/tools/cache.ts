/**
 * A folder that outlives a run, for packages from npm that are needed at bench
 * time only.
 *
 * @module
 */

import { outputOf } from "./program.ts";

/** Exact versions, so that everybody measures and plots with the same. */
export const packageVersions = {
  "ws": "8.23.0",
  "d3": "7.9.0",
  "@observablehq/plot": "0.6.17",
} as const;

/** A package that the benchmarks use. */
export type PackageName = keyof typeof packageVersions;

/** Where packages are kept: `$XDG_CACHE_HOME`, else `~/.cache`. */
export function cacheFolder(): string {
  const home = Deno.env.get("HOME") ?? "/tmp";
  const base = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  return `${base}/jstime-serve-bench`;
}

/**
 * Installs a package unless it is there already.
 *
 * @returns Its folder.
 * @throws {Error} If npm is missing or cannot reach its registry.
 */
export async function installPackage(name: PackageName): Promise<string> {
  const version = packageVersions[name];
  const prefix = `${cacheFolder()}/${name.replace("/", "-")}-${version}`;
  const folder = `${prefix}/node_modules/${name}`;
  if (await installedVersion(folder) === version) return folder;
  await Deno.mkdir(prefix, { recursive: true });
  await outputOf("npm", [
    "install",
    ...["--prefix", prefix, "--no-save", "--ignore-scripts"],
    ...["--no-audit", "--no-fund", "--loglevel", "error"],
    `${name}@${version}`,
  ]);
  return folder;
}

async function installedVersion(folder: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(`${folder}/package.json`);
    return JSON.parse(text).version;
  } catch {
    return undefined;
  }
}
