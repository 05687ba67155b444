/**
 * Runs tests of `listen` and `connect` on both engines.
 *
 * @module
 */

import { connect } from "../../src/connect.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";
import { listen } from "../../src/listen.ts";

/** The name of an engine. */
export type SubjectName = "deno" | "native";

/** `listen` and `connect` on one engine. */
export interface TcpSubject {
  /** The engine. */
  readonly name: SubjectName;
  /** As the function of that name. */
  readonly listen: typeof listen;
  /** As the function of that name. */
  readonly connect: typeof connect;
  /** Registers a test, which is shown as skipped where there is no helper. */
  test(name: string, run: () => Promise<void> | void): void;
}

function subject(name: SubjectName, skip?: string): TcpSubject {
  return {
    name,
    listen:
      ((options: object) =>
        listen({ ...options, engine: name } as never)) as typeof listen,
    connect:
      ((options: object) =>
        connect({ ...options, engine: name } as never)) as typeof connect,
    test(title, run) {
      Deno.test({
        name: `TCP (${name}): ${title}` +
          (skip === undefined ? "" : ` [skipped: ${skip}]`),
        ignore: skip !== undefined,
        fn: () => run(),
      });
    },
  };
}

loadNativeEngine();

/** Both engines. */
export const subjects: readonly TcpSubject[] = [
  subject("deno"),
  subject("native", nativeEngineFailure()?.reason),
];
