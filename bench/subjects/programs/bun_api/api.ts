/**
 * The API that ours and Bun share. Both run the very same text, so that a
 * difference between them is not one between two programs.
 *
 * @module
 */

import type { file, listen, serve, Server } from "../../../../mod.ts";

/** The functions that the workloads need. */
export interface Api {
  /** Serves HTTP. */
  readonly serve: typeof serve;
  /** Names a file. */
  readonly file: typeof file;
  /** Serves TCP. */
  readonly listen: typeof listen;
}

/** A server that runs. */
export type RunningServer = Pick<Server, "port"> & { readonly engine?: string };
