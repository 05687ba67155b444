/**
 * Clients with certificates. All connect to 127.0.0.1, whatever name they ask
 * for.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { connect } from "node:tls";

/** The certificates that clients have. */
export type ClientName =
  | "client"
  | "chained"
  | "revoked"
  | "expired"
  | "foreign"
  | "self_signed"
  | "server_only";

const folder = new URL("./client_certificates/", import.meta.url);

/** Path of a file in the folder of clients' certificates. */
export function clientPath(file: string): string {
  return new URL(file, folder).pathname;
}

/** PEM text from that folder: of a certificate, or of revocations. */
export function clientPem(
  name:
    | ClientName
    | "authority"
    | "other_authority"
    | "revocations"
    | "stale_revocations",
): string {
  return Deno.readTextFileSync(clientPath(`${name}.pem`));
}

/** A client's certificate and its key. */
export function clientPair(name: ClientName): { cert: string; key: string } {
  const key = Deno.readTextFileSync(clientPath(`${name}_key.pem`));
  return { cert: clientPem(name), key };
}

/** What a client asks for. */
export interface Asking {
  /** Whose certificate it has. */
  readonly as?: ClientName | undefined;
  /** The name in the handshake; empty for none. */
  readonly serverName?: string;
  /** The value of `Host`; by default the name. */
  readonly host?: string;
  /** A session to resume. */
  readonly session?: Buffer | undefined;
  /** The request's target. */
  readonly target?: string;
}

/** What it gets. */
export interface Asked {
  /** The response's status; the code of an error if there is no response. */
  readonly status: number | string;
  /** Its content. */
  readonly content: string;
  /** Sessions to resume, one after the other. */
  readonly sessions: readonly Buffer[];
  /** Whether a session was resumed. */
  readonly isResumed: boolean;
}

/** Makes one request over a connection of its own. */
export function ask(
  port: number,
  {
    as,
    serverName = "first.test",
    host = serverName,
    session,
    target = "/",
  }: Asking = {},
): Promise<Asked> {
  const { promise, resolve } = Promise.withResolvers<Asked>();
  const sessions: Buffer[] = [];
  let text = "";
  let isResumed = false;
  let failure = "closed";
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: serverName,
    rejectUnauthorized: false,
    ...session && { session },
    ...as && clientPair(as),
  }, () => {
    isResumed = socket.isSessionReused();
    socket.write(
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
  });
  socket.on("session", (session) => sessions.push(session));
  socket.on("data", (bytes) => text += bytes.toString("latin1"));
  socket.on("error", (error: Error & { code?: string }) => {
    failure = error.code ?? error.message;
  });
  socket.on("close", () => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
    const content = text.slice(text.indexOf("\r\n\r\n") + 4);
    resolve({
      status: status === undefined ? failure : Number(status),
      content: status === undefined ? "" : content,
      sessions,
      isResumed,
    });
  });
  return promise;
}
