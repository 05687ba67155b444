/**
 * Turns the options of `listen`, `connect`, `reload` and `upgradeTLS` into
 * frozen plans.
 *
 * @module
 */

import type {
  TcpConnectPlan,
  TcpListenPlan,
  TlsClientPlan,
  UnixAddressPlan,
} from "../engine/engine.ts";
import type { SocketHandlers } from "../tcp/socket_handlers.ts";
import type { BinaryType } from "../tcp/socket_types.ts";
import { optionsRecord } from "./handler_options.ts";
import {
  describe,
  invalidOption,
  outOfRange,
  wrongType,
} from "./option_error.ts";
import { booleanOption, engineOption, stringOption } from "./simple_options.ts";
import { resolveClientTls, resolveServerTls } from "./tcp_tls_options.ts";

type Options = Readonly<Record<string, unknown>>;

/** What is common to `listen` and `connect`. */
interface CommonOptions {
  readonly handlers: SocketHandlers;
  readonly data: unknown;
  readonly allowHalfOpen: boolean;
  /** Host as given; undefined for Unix sockets. */
  readonly hostname: string | undefined;
  readonly engine: "auto" | "deno" | "native";
}

/** Everything that `listen` needs to know; frozen. */
export interface TcpListenOptions extends CommonOptions {
  /** What the engine needs. */
  readonly listen: TcpListenPlan;
}

/** Everything that `connect` needs to know; frozen. */
export interface TcpConnectOptions extends CommonOptions {
  /** What the engine needs. */
  readonly connect: TcpConnectPlan;
}

/** Everything that `upgradeTLS` needs to know; frozen. */
export interface UpgradeOptions {
  readonly handlers: SocketHandlers;
  readonly data: unknown;
  readonly tls: TlsClientPlan;
}

/**
 * Resolves the options of `listen`. An explicit `undefined` means absent, and
 * unknown keys are ignored.
 *
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {RangeError} If the port is out of range.
 * @throws {Error} If a certificate or key file cannot be read.
 */
export function resolveListen(options: unknown): TcpListenOptions {
  const record = optionsRecord(options);
  const common = commonOptions(record);
  const place = addressOptions(record, "listen on");
  const listen = Object.freeze<TcpListenPlan>({
    address: place.transport === "unix"
      ? place
      : Object.freeze({ ...place, reusePort: false, ipv6Only: false }),
    tls: resolveServerTls(record.tls),
  });
  return Object.freeze({ ...common, listen });
}

/**
 * Resolves the options of `connect`; otherwise as {@linkcode resolveListen}.
 *
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {RangeError} If the port is out of range.
 * @throws {Error} If a certificate or key file cannot be read.
 */
export function resolveConnect(options: unknown): TcpConnectOptions {
  const record = optionsRecord(options);
  const common = commonOptions(record);
  const address = addressOptions(record, "connect to");
  const hostname = address.transport === "tcp" ? address.hostname : undefined;
  const connect = Object.freeze<TcpConnectPlan>({
    address,
    tls: resolveClientTls(record.tls, hostname),
  });
  return Object.freeze({ ...common, connect });
}

/**
 * Resolves the options of `reload`: an object with the handlers as `socket`,
 * or the handlers themselves.
 *
 * @throws {TypeError} If the handlers are wrong.
 */
export function resolveReload(options: unknown): SocketHandlers {
  const record = optionsRecord(options);
  return socketHandlers(record.socket === undefined ? record : record.socket);
}

/**
 * Resolves the options of `upgradeTLS`.
 *
 * @param hostname The host that the socket is connected to.
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {Error} If a certificate or key file cannot be read.
 */
export function resolveUpgrade(
  options: unknown,
  hostname: string | undefined,
): UpgradeOptions {
  const { socket, data, tls } = optionsRecord(options);
  const handlers = socketHandlers(socket);
  const plan = resolveClientTls(tls, hostname);
  if (plan === undefined) {
    throw wrongType("tls", tls, "an object or true");
  }
  return Object.freeze({ handlers, data, tls: plan });
}

function commonOptions(options: Options): CommonOptions {
  const { socket, data, allowHalfOpen, exclusive, hostname, unix } = options;
  // No engine shares ports, so this is always so.
  booleanOption("exclusive", exclusive, false);
  return {
    handlers: socketHandlers(socket),
    data,
    allowHalfOpen: booleanOption("allowHalfOpen", allowHalfOpen, false),
    hostname: unix === undefined || unix === null || unix === ""
      ? stringOption("hostname", hostname)
      : undefined,
    engine: engineOption(options.engine),
  };
}

function addressOptions(
  { unix, hostname, port }: Options,
  verb: "listen on" | "connect to",
): UnixAddressPlan | {
  readonly transport: "tcp";
  readonly hostname: string;
  readonly port: number;
} {
  const path = stringOption("unix", unix);
  if (path !== undefined && path !== "") {
    // The first character may be a NUL: then it is an abstract name.
    if (path.includes("\0", 1) || path === "\0") {
      throw wrongType("unix", path, "a path, or a NUL and an abstract name");
    }
    return Object.freeze({ transport: "unix", path });
  }
  const host = stringOption("hostname", hostname);
  if (host === undefined || host === "") {
    throw invalidOption(`Cannot ${verb} nothing: expected hostname or unix`);
  }
  if (/[\0-\x20\x7f]/.test(host)) {
    throw wrongType("hostname", host, "a host name or an IP address");
  }
  return Object.freeze({
    transport: "tcp",
    hostname: /^\[.*:.*\]$/.test(host) ? host.slice(1, -1) : host,
    port: portNumber(port, verb),
  });
}

function portNumber(value: unknown, verb: "listen on" | "connect to"): number {
  if (value === undefined || value === null || value === "") {
    throw invalidOption(`Cannot ${verb} a host without port: expected port`);
  }
  if (typeof value !== "number" && typeof value !== "string") {
    throw wrongType("port", value, "a number or a string");
  }
  const lowest = verb === "listen on" ? 0 : 1;
  const port = typeof value === "number" || /^ *\d+ *$/.test(value)
    ? Number(value)
    : NaN;
  // Adding 0 turns -0 into 0.
  if (Number.isInteger(port) && port >= lowest && port <= 65535) {
    return port + 0;
  }
  throw outOfRange(
    `Cannot ${verb} port ${
      describe(value)
    }: expected an integer from ${lowest} to 65535`,
  );
}

function socketHandlers(value: unknown): SocketHandlers {
  if (value === undefined || value === null) {
    throw invalidOption("Cannot use sockets without handlers: expected socket");
  }
  if (typeof value !== "object" && typeof value !== "function") {
    throw wrongType("socket", value, "an object of handlers");
  }
  const options = value as Options;
  const handler = <Handler>(name: string): Handler | undefined => {
    const member = options[name];
    if (member === undefined || member === null) return undefined;
    if (typeof member === "function") return member as Handler;
    throw wrongType(`socket.${name}`, member, "a function");
  };
  const handlers: SocketHandlers = {
    open: handler("open"),
    data: handler("data"),
    drain: handler("drain"),
    close: handler("close"),
    end: handler("end"),
    error: handler("error"),
    timeout: handler("timeout"),
    handshake: handler("handshake"),
    connectError: handler("connectError"),
    binaryType: binaryType(options.binaryType),
  };
  if (handlers.data === undefined && handlers.drain === undefined) {
    throw invalidOption(
      "Cannot use socket without data: expected at least data or drain",
    );
  }
  return Object.freeze(handlers);
}

function binaryType(value: unknown): BinaryType {
  switch (value) {
    case undefined:
    case null:
      return "buffer";
    case "buffer":
    case "arraybuffer":
    case "uint8array":
      return value;
  }
  throw wrongType(
    "socket.binaryType",
    value,
    '"buffer", "arraybuffer" or "uint8array"',
  );
}
