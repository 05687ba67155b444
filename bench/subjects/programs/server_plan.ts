/**
 * What the program of a subject is told, as JSON in its only argument.
 *
 * @module
 */

import type { ServiceName } from "../../workloads/workload.ts";

/** What to serve. */
export interface ServerPlan {
  /** Which program. */
  readonly service: ServiceName;
  /** What it does. */
  readonly variant: string;
  /** Where to listen; 0 is anywhere. */
  readonly port: number;
  /** Path of the file to serve. */
  readonly file: string;
  /** How long `/block` blocks, in milliseconds. */
  readonly blockMilliseconds: number;
  /** Certificate and key, PEM, for HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Ours only: the module to import. */
  readonly module?: string;
  /** Node only: the folder of the package `ws`. */
  readonly ws?: string;
}
