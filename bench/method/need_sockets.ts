import type { LoadTools } from "../load/tools.ts";

/**
 * The client for sockets.
 *
 * @throws {Error} If it could not be compiled.
 */
export function needSockets({ sockets }: LoadTools): string {
  if (sockets !== undefined) return sockets;
  throw new Error("no C compiler for the client: install one, or set CC");
}
