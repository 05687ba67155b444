/**
 * Finds everything that makes load on this system.
 *
 * @module
 */

import { compile, findCompiler } from "../tools/compiler.ts";
import type { HttpLoad, HttpTarget } from "./load.ts";
import { findOha } from "./oha.ts";
import { findWrk } from "./wrk.ts";

/** What makes load; what is missing costs workloads. */
export interface LoadTools {
  /** For HTTP, the preferred first. */
  readonly http: readonly HttpLoad[];
  /** Path of the client for sockets. */
  readonly sockets: string | undefined;
  /** The compiler that made it. */
  readonly compiler: string | undefined;
}

/**
 * Finds load generators and compiles the client.
 *
 * @param preferred `oha`, `wrk`, or `auto`: wrk where it can, since it keeps
 * servers busy that oha cannot, and oha for the rest.
 * @param folder Where the client is compiled to.
 * @throws {Error} If there is none for HTTP; telling how to install one.
 */
export async function findLoadTools(
  preferred: string,
  folder: string,
): Promise<LoadTools> {
  const [oha, wrk] = await Promise.all([findOha(), findWrk()]);
  const order = preferred === "oha" ? [oha, wrk] : [wrk, oha];
  const http = order.filter((tool) => tool !== undefined);
  if (http.length === 0) {
    throw new Error(
      "Cannot find oha or wrk: install them with `cargo install oha` and " +
        "`apt-get install wrk`",
    );
  }
  const compiler = await findCompiler();
  const sources = `${import.meta.dirname}/sockets`;
  return {
    http,
    sockets: compiler && await compile(compiler, sources, `${folder}/sockets`),
    compiler: compiler?.version,
  };
}

/**
 * The first load generator that can make a load.
 *
 * @throws {Error} If none can; saying why.
 */
export function chooseHttpLoad(
  tools: LoadTools,
  target: HttpTarget,
): HttpLoad {
  const reasons: string[] = [];
  for (const tool of tools.http) {
    const reason = tool.lacks(target);
    if (reason === undefined) return tool;
    reasons.push(reason);
  }
  throw new Error(reasons.join(", "));
}
