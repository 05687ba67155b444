/**
 * The plotting library, Observable Plot, and D3 on which it stands. Both are
 * fetched from npm when a page is made; a page has them inside.
 *
 * @module
 */

import { installPackage, type PackageName } from "../tools/cache.ts";

/** What a page needs to plot. */
export interface PlotLibraries {
  /** Programs, in the order in which they run. */
  readonly scripts: readonly string[];
  /** Their licences, which ask to be where the programs are. */
  readonly licenses: string;
}

const libraries: readonly { name: PackageName; script: string }[] = [
  { name: "d3", script: "dist/d3.min.js" },
  { name: "@observablehq/plot", script: "dist/plot.umd.min.js" },
];

/**
 * Gets the libraries.
 *
 * @throws {Error} If npm is missing or cannot reach its registry.
 */
export async function loadLibraries(): Promise<PlotLibraries> {
  const scripts: string[] = [];
  const licenses: string[] = [];
  for (const { name, script } of libraries) {
    const folder = await installPackage(name);
    scripts.push(await Deno.readTextFile(`${folder}/${script}`));
    const license = await Deno.readTextFile(`${folder}/LICENSE`);
    licenses.push(`${name}\n\n${license.trim()}`);
  }
  return { scripts, licenses: licenses.join("\n\n") };
}
