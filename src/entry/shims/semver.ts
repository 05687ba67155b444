/**
 * `Bun.semver` over the npm package that defined these ranges.
 *
 * @module
 */

import satisfiesRange from "npm:semver@^7.7.0/functions/satisfies.js";

/** The part of `Bun.semver` that servers use. */
export interface Semver {
  /**
   * Whether a version lies in a range. Text that is no version or no range
   * satisfies nothing; Bun instead lets every version satisfy such a range.
   */
  satisfies(version: string, range: string): boolean;
}

/**
 * Compares versions.
 *
 * @example
 * ```ts
 * import { semver } from "@jstime/serve/bun";
 *
 * console.log(semver.satisfies("1.4.5", "^1.2.0")); // true
 * ```
 */
export const semver: Semver = {
  satisfies(version: string, range: string): boolean {
    return satisfiesRange(String(version), String(range));
  },
};
