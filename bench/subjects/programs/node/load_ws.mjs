// The package ws, from wherever the benchmark keeps it.
import { createRequire } from "node:module";

/** Loads the package from its folder. */
export function loadWs(folder) {
  return createRequire(import.meta.url)(folder);
}
