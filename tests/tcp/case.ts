/**
 * The format of a TCP case. Case modules run in Deno and in Bun, so they (and
 * this file) use nothing but web globals, `node:net` and the `api` they are
 * given.
 *
 * @module
 */
import type { Socket as NodeSocket } from "node:net";

// deno-lint-ignore no-explicit-any -- Bun's and our sockets, looked at loosely
export type CaseSocket = any;

/** Handlers, looked at loosely. */
// deno-lint-ignore no-explicit-any -- as above
export type CaseHandlers = Record<string, any>;

/** What a case may use besides web globals and `node:net`. */
export interface TcpApi {
  /** `listen` of the implementation under test. */
  listen(options: Record<string, unknown>): CaseSocket;
  /** `connect` of the implementation under test. */
  connect(options: Record<string, unknown>): Promise<CaseSocket>;
  /** A path for a Unix socket that does not exist yet. */
  unixPath: string;
  /** PEM text from the folder `tls`. */
  pem(name: string): string;
  /** Records a fact about an actor. */
  log(actor: string, fact: string): void;
  /** Resolves when an actor's record has the fact, however often needed. */
  until(actor: string, fact: string, times?: number): Promise<void>;
  /**
   * Handlers that record the events of an actor, and then call the one given;
   * `handshake` and `drain` only if they are given.
   * Data is recorded as text; what arrives in parts is one fact.
   */
  record(actor: string, handlers?: CaseHandlers): CaseHandlers;
  /** Connects with `node:net` and records its events. */
  rawClient(actor: string, port: number): Promise<NodeSocket>;
}

/** One case: something to do, and the facts that must come of it. */
export interface TcpCase {
  /** What it shows. */
  name: string;
  /** Does it, and closes everything. */
  run(api: TcpApi): Promise<void>;
  /** The facts by actor, in order. */
  expect: Record<string, string[]>;
  /** Why an engine of ours does not run it, by the engine's name. */
  skip?: { deno?: string; native?: string };
  /** Why Bun differs; such a case must not pass there. */
  bun?: string;
}

/** A listener on a free port of the loopback. */
export const loopback = { hostname: "127.0.0.1", port: 0 } as const;

/** Waits for all that is due in this turn of the event loop, and some more. */
export function turns(milliseconds: number = 30): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
