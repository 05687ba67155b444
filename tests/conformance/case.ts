/**
 * The one format of a conformance case, and small helpers to write cases with.
 *
 * A case is data: the options of a server, an exchange of bytes with it, and
 * the facts that must come back. Case modules run in Deno and in Bun, so they
 * (and this file) use nothing but web globals and the `api` they are given.
 *
 * @module
 */

/** What runs a case: one of our engines, or the oracle. */
export type EngineName = "deno" | "native" | "bun";

/** What a case's server may use besides web globals. */
export interface CaseApi {
  /** `file` of the implementation under test. */
  file(path: string | URL, options?: { type?: string }): CaseFile;
  /** `serve` of the implementation under test, for options that must throw. */
  serve(options: unknown): CaseServer;
  /** Absolute path of the directory that `fixtures.ts` fills. */
  fixtures: string;
  /** Records a fact in the server's process, for the case's `log` to expect. */
  log(fact: string): void;
}

/** The part of a file that cases use. */
export interface CaseFile extends Blob {
  readonly name?: string;
  readonly lastModified: number;
  exists(): Promise<boolean>;
  write(data: string | Uint8Array<ArrayBuffer>): Promise<number>;
  unlink(): Promise<void>;
}

/** The part of a cookie map that cases use. */
export interface CaseCookies extends Iterable<[string, string]> {
  readonly size: number;
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string, options?: unknown): void;
  set(options: unknown): void;
  delete(name: string, options?: unknown): void;
  toJSON(): Record<string, string>;
}

/** The request that a handler sees. */
export interface CaseRequest extends Request {
  readonly params: Record<string, string>;
  readonly cookies: CaseCookies;
}

/** The part of a server that cases use. */
export interface CaseServer {
  readonly port: number;
  readonly hostname: string;
  readonly address: { address: string; port: number; family: string };
  readonly url: URL;
  readonly id: string;
  readonly development: boolean;
  readonly protocol: string;
  readonly pendingRequests: number;
  readonly pendingWebSockets: number;
  fetch(request: Request | string | URL): Response | Promise<Response>;
  requestIP(
    request: Request,
  ): { address: string; port: number; family: string } | null;
  timeout(request: Request, seconds: number): void;
  reload(options: unknown): unknown;
  ref(): void;
  unref(): void;
  stop(force?: boolean): Promise<void>;
  closeIdleConnections?(): void;
  metrics?(): {
    readonly requests: number;
    readonly requestsShed: number;
    readonly pendingRequests: number;
    readonly connectionsRefused?: number | undefined;
    readonly statuses: Readonly<Record<number, number>>;
  };
  upgrade(request: Request, options?: unknown): boolean;
  publish(topic: string, data: unknown, compress?: boolean): number;
  subscriberCount(topic: string): number;
}

/** A handler of a case; what it returns is deliberately unchecked. */
export type CaseHandler = (
  this: CaseServer,
  request: CaseRequest,
  server: CaseServer,
) => unknown;

/** A value of a case's route table. */
export type CaseRoute =
  | CaseHandler
  | Response
  | Blob
  | false
  | { dir: string }
  | { [method: string]: CaseHandler | Response | Blob | false };

/** The options of a case's server; the runner adds port and hostname. */
export interface CaseOptions {
  fetch?: CaseHandler;
  routes?: Record<string, CaseRoute>;
  error?: (this: CaseServer, error: Error) => unknown;
  development?: boolean;
  maxRequestBodySize?: number;
  idleTimeout?: number;
  [option: string]: unknown;
}

/** A response as it came over the wire. */
export interface ReceivedResponse {
  /** `"1.1"` or `"1.0"`. */
  version: string;
  status: number;
  reason: string;
  /** Field lines in wire order, names lower-cased. */
  headers: [name: string, value: string][];
  body: Uint8Array<ArrayBuffer>;
  /** How the end of the body was known. */
  framing: "none" | "length" | "chunked" | "close";
  /** The connection ended before the body did. */
  truncated: boolean;
}

/**
 * What one header must be: exactly this one field line, exactly these field
 * lines in order, a value that matches, or `null` for absent.
 */
export type ExpectedHeader = string | string[] | RegExp | null;

/** The facts that one response must show. What is left out may be anything. */
export interface ResponseFacts {
  /** The status, or several when the specification leaves a choice. */
  status?: number | number[];
  headers?: Record<string, ExpectedHeader>;
  /** The whole body (strings as UTF-8), or what it must match. */
  body?: string | Uint8Array | RegExp;
  /** The connection is cut before the body is complete. Default: false. */
  truncated?: boolean;
  framing?: ReceivedResponse["framing"];
}

/** The facts that one response must show, with what an engine cannot do. */
export interface ExpectedResponse extends ResponseFacts {
  status: number | number[];
  /** It answers a HEAD request, so no body follows its head. */
  head?: boolean;
  /** Where the platform below an engine decides otherwise, and why. */
  on?: Partial<Record<EngineName, ResponseFacts & { why: string }>>;
}

/** The facts that one WebSocket frame must show; it is always a whole message. */
export interface ExpectedFrame {
  opcode: "text" | "binary" | "close" | "ping" | "pong";
  /** The payload, or the reason of a close frame; strings as UTF-8. */
  payload?: string | Uint8Array<ArrayBuffer> | RegExp;
  /** The code of a close frame, `null` for none. */
  code?: number | null;
}

/** What every step may carry. */
interface StepCommon {
  /** Which connection; opened when first named. Default: `"first"`. */
  connection?: string;
  /** Engines that leave this step out, and why. */
  skip?: Partial<Record<EngineName, string>>;
}

/** One thing that the client does, waits for, or has the server do. */
export type Step =
  & StepCommon
  & (
    /** Write these bytes; strings go out as UTF-8. */
    | { send: Payload | ((seen: readonly ReceivedResponse[]) => Payload) }
    /** Wait for the next response and compare it. */
    | { receive: ExpectedResponse }
    /** Wait for the next WebSocket frame and compare it. */
    | { receiveFrame: ExpectedFrame }
    /** Wait until the server has closed, having sent nothing more. */
    | { closed: true }
    /** Open the connection without sending anything. */
    | { open: true }
    /** Send FIN, keep reading. */
    | { halfClose: true }
    /** Close the connection. */
    | { close: true }
    /** Wait until the server has logged this fact. */
    | { logged: string }
    /** Wait this long: only to let something happen, never to measure. */
    | { pause: number }
    /** Run inside the server's process. */
    | { run: (server: CaseServer, api: CaseApi) => unknown }
  );

/** Bytes to send. */
export type Payload = string | Uint8Array<ArrayBuffer>;

/** One conformance case. */
export interface ConformanceCase {
  /** Unique in its area; says the behaviour. */
  name: string;
  /** Builds the options, once, in the server's process. */
  server: (api: CaseApi) => CaseOptions;
  exchange: (Step | Step[])[];
  /** All facts that were logged by the end, in order. */
  log?: (string | RegExp)[];
  /**
   * Also run the exchange with the first payload one byte per write, and split
   * in two at every offset.
   */
  replay?: boolean;
  /** Why real Bun does not pass, as one clause after "Bun differs:". */
  bun?: string;
  /** Engines that cannot pass, and why. */
  skip?: Partial<Record<EngineName, string>>;
}

/** The steps of a case without nesting; their positions name `run` steps. */
export function stepsOf(testCase: ConformanceCase): Step[] {
  return testCase.exchange.flat();
}

/** The text of some lines, each ended by CRLF. */
export function lines(...texts: string[]): string {
  return texts.map((text) => text + "\r\n").join("");
}

/** One byte per character, for payloads that are not UTF-8. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What a request carries besides its request line. */
export interface RequestParts {
  /** Field lines; `Host: localhost` is added unless given here. */
  headers?: Record<string, string | string[]>;
  /** Sent with Content-Length, unless `headers` frames it otherwise. */
  body?: string;
  /** Default: `"HTTP/1.1"`. */
  version?: string;
}

/** The bytes of one well-formed request, `line` being `"GET /path"`. */
export function request(line: string, parts: RequestParts = {}): string {
  const { headers = {}, body, version = "HTTP/1.1" } = parts;
  const fields = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const)
  );
  const has = (wanted: string) =>
    fields.some(([name]) => name.toLowerCase() === wanted);
  const head = [`${line} ${version}`];
  if (!has("host")) head.push("Host: localhost");
  for (const [name, value] of fields) head.push(`${name}: ${value}`);
  if (
    body !== undefined && !has("content-length") && !has("transfer-encoding")
  ) {
    head.push(`Content-Length: ${new TextEncoder().encode(body).length}`);
  }
  return lines(...head, "") + (body ?? "");
}

/** One well-formed request and what its response must be. */
export function ask(
  line: string,
  expected: ExpectedResponse,
  parts: RequestParts = {},
): Step[] {
  const receive = line.startsWith("HEAD ")
    ? { ...expected, head: true }
    : expected;
  return [{ send: request(line, parts) }, { receive }];
}

/** Hands each row of a table to a function that makes a case of it. */
export function table<Row>(
  rows: readonly Row[],
  toCase: (row: Row) => ConformanceCase,
): ConformanceCase[] {
  return rows.map(toCase);
}

/** A promise with its resolver, for handlers that wait for a step. */
export function gate(): { wait: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, open: resolve };
}
