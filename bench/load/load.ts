/**
 * What puts a server under load, and what it saw. The load generators are
 * compiled programs: one in JavaScript would measure itself.
 *
 * @module
 */

import type { HttpRequest } from "../workloads/workload.ts";

/** What a load generator saw. */
export interface LoadResult {
  /** Right answers; 0 if none came in time. */
  readonly operations: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** Median latency in milliseconds; undefined when it cannot be told. */
  readonly p50: number | undefined;
  /** 99th percentile of the latency in milliseconds, likewise. */
  readonly p99: number | undefined;
  /** 99.9th percentile of the latency in milliseconds, likewise. */
  readonly p999: number | undefined;
}

/** Where HTTP requests go. */
export interface HttpTarget {
  /** Scheme and authority. */
  readonly origin: string;
  /** What is sent over and over. */
  readonly request: HttpRequest;
  /** File with the request's content; undefined if it has none. */
  readonly contentFile: string | undefined;
  /** The only status that is right. */
  readonly status: number;
  /** Bytes of an answer's content. */
  readonly answerBytes: number;
  /** How many connections are open at once. */
  readonly connections: number;
  /** How many requests are sent before the first answer is awaited. */
  readonly pipelined: number;
  /** Whether each request has a connection of its own. */
  readonly closes: boolean;
  /** Requests that are begun in a second; undefined for all that are answered. */
  readonly rate: number | undefined;
}

/** A load generator for HTTP that was found on this system. */
export interface HttpLoad {
  /** Its name. */
  readonly name: string;
  /** Its name and version. */
  readonly version: string;
  /** Why it cannot make this load; undefined if it can. */
  readonly lacks: (target: HttpTarget) => string | undefined;
  /**
   * Makes load for some seconds.
   *
   * @throws {Error} If an answer was wrong.
   */
  readonly run: (target: HttpTarget, seconds: number) => Promise<LoadResult>;
}
