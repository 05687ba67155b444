import type { TcpConnectPlan } from "../engine.ts";

/** An error of the system, as Node and Bun programs expect it. */
export interface SystemError extends Error {
  /** For example `ECONNRESET`. */
  code?: string;
  /** What failed, for example `read`. */
  syscall?: string;
}

/**
 * Makes the platform's error on an open connection one with `code` and
 * `syscall`.
 */
export function connectionError(
  error: unknown,
  syscall: "read" | "write" | "handshake",
): SystemError {
  const message = error instanceof Error ? error.message : String(error);
  return Object.assign(
    new Error(`Cannot ${verbs[syscall]}: ${message}`, { cause: error }),
    { code: codeOf(error) ?? "EIO", syscall },
  );
}

/**
 * Makes the platform's error on connecting one with `code`, `syscall` and the
 * address.
 */
export function connectError(
  error: unknown,
  address: TcpConnectPlan["address"],
): SystemError {
  const message = error instanceof Error ? error.message : String(error);
  const isLookup = isLookupFailure(error);
  const [name, where] = address.transport === "unix"
    ? [JSON.stringify(address.path), { address: address.path }]
    : [
      `port ${address.port} of ${address.hostname}`,
      isLookup
        ? { hostname: address.hostname }
        : { address: address.hostname, port: address.port },
    ];
  return Object.assign(
    new Error(`Cannot connect to ${name}: ${message}`, { cause: error }),
    {
      code: isLookup ? "ENOTFOUND" : codeOf(error) ?? "EIO",
      syscall: isLookup ? "getaddrinfo" : "connect",
      ...where,
    },
  );
}

const verbs = {
  read: "read from the connection",
  write: "write to the connection",
  handshake: "complete the TLS handshake",
} as const;

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // TLS errors come without a code.
  if (error instanceof Deno.errors.InvalidData) return "EPROTO";
  if (error instanceof Deno.errors.UnexpectedEof) return "ECONNRESET";
  if (error instanceof Deno.errors.TimedOut) return "ETIMEDOUT";
  if (error instanceof Deno.errors.NotCapable) return "EACCES";
  return undefined;
}

/** Failures of name resolution have neither a class nor a code of their own. */
function isLookupFailure(error: unknown): boolean {
  return error instanceof Error &&
    error.message.startsWith("failed to lookup address information");
}
