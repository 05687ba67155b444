/**
 * What a workload is.
 *
 * @module
 */

/** The programs of a subject; each serves several workloads. */
export type ServiceName = "http" | "websocket" | "tcp" | "stall";

/** What a subject is asked to serve. */
export interface Service {
  /** Which of its programs. */
  readonly name: ServiceName;
  /** What that program does. */
  readonly variant: string;
  /** Size of the file that it serves, in bytes. */
  readonly fileSize?: number;
  /** Whether it serves HTTPS. */
  readonly tls?: boolean;
}

/** One HTTP request that is sent over and over. */
export interface HttpRequest {
  /** Request method. */
  readonly method: "GET" | "POST";
  /** Request target. */
  readonly path: string;
  /** Further header fields. */
  readonly headers: Readonly<Record<string, string>>;
  /** Request content; empty for none. */
  readonly content: string;
}

/** What the answer has to be. */
export interface HttpExpectation {
  /** Response status. */
  readonly status: number;
  /** Header fields that it must have, among others. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its exact content. */
  readonly content: () => Uint8Array;
}

/** HTTP requests, as fast as they are answered. */
export interface HttpLoadPlan {
  /** Discriminates the union. */
  readonly kind: "http";
  /** What is sent. */
  readonly request: HttpRequest;
  /** What is right. */
  readonly expected: HttpExpectation;
  /** How many requests are sent before the first answer is awaited. */
  readonly pipelined: number;
  /** Whether each request has a connection of its own. */
  readonly closes: boolean;
}

/** Messages over sockets, as fast as they come back. */
export interface SocketLoadPlan {
  /** Discriminates the union. */
  readonly kind: "sockets";
  /** What is spoken. */
  readonly protocol: "tcp" | "websocket";
  /** Every client its own echo, or one sender and everybody receives. */
  readonly exchange: "echo" | "publish";
  /** Bytes of a message. */
  readonly size: number;
  /** How many copies every receiver gets of what is sent once. */
  readonly copies: number;
}

/** Some load at a fixed rate, while JavaScript is blocked now and then. */
export interface StallLoadPlan {
  /** Discriminates the union. */
  readonly kind: "stall";
  /** What is measured meanwhile. */
  readonly probe: "http" | "ping" | "publish";
  /** Request target, for HTTP. */
  readonly path: string;
  /** How many operations are begun in a second, over all connections. */
  readonly rate: number;
}

/** The time from starting the program to its first answer. */
export interface StartPlan {
  /** Discriminates the union. */
  readonly kind: "start";
}

/** Memory of a server that has nothing to do. */
export interface MemoryPlan {
  /** Discriminates the union. */
  readonly kind: "memory";
  /** What its clients have opened; undefined for no clients. */
  readonly protocol: "http" | "websocket" | undefined;
}

/** How a workload is measured. */
export type LoadPlan =
  | HttpLoadPlan
  | SocketLoadPlan
  | StallLoadPlan
  | StartPlan
  | MemoryPlan;

/** The headings of tables and plots. */
export type WorkloadGroup =
  | "HTTP"
  | "Files"
  | "WebSockets"
  | "TCP"
  | "While JavaScript is blocked"
  | "Start and memory";

/** Something to measure. */
export interface Workload {
  /** Its name on the command line. */
  readonly name: string;
  /** Its name in tables. */
  readonly title: string;
  /** Where it stands in tables. */
  readonly group: WorkloadGroup;
  /** What one operation is. */
  readonly operation: string;
  /** What the subjects serve. */
  readonly service: Service;
  /** How it is measured. */
  readonly load: LoadPlan;
  /** How many connections are open, one measurement each. */
  readonly connections: readonly number[];
  /** Whether other numbers of connections make sense. */
  readonly takesConnections: boolean;
  /** Whether it is part of the headline. */
  readonly isHeadline: boolean;
}
