import type { TcpAddressPlan, UnixAddressPlan } from "../engine/engine.ts";
import { invalidOption, wrongType } from "./option_error.ts";
import { portOption } from "./port_option.ts";
import { booleanOption, stringOption } from "./simple_options.ts";

const DEFAULT_HOSTNAME = "0.0.0.0";

/** Where to listen, and how to name that place. */
export interface ResolvedAddress {
  /** Where to listen. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** `hostname` as given, or the default. */
  readonly hostname: string;
  /** Host for URLs, without brackets: as given, else `localhost`. */
  readonly urlHostname: string;
}

/**
 * Resolves `unix`, or else `hostname`, `port`, `reusePort` and `ipv6Only`.
 * With `unix` a port has no meaning and is ignored, because routers pass a
 * default one along.
 *
 * @throws {TypeError} If one has the wrong type, or both `unix` and
 * `hostname` are given.
 * @throws {RangeError} If the port is out of range.
 */
export function addressOptions(
  options: Readonly<Record<string, unknown>>,
): ResolvedAddress {
  const { unix, hostname, port, reusePort, ipv6Only } = options;
  const host = hostnameOption(hostname);
  const path = stringOption("unix", unix);
  const shared = booleanOption("reusePort", reusePort, false);
  const only6 = booleanOption("ipv6Only", ipv6Only, false);
  const names = {
    hostname: host ?? DEFAULT_HOSTNAME,
    urlHostname: host === undefined ? "localhost" : withoutBrackets(host),
  };
  if (path !== undefined && path !== "") {
    if (host !== undefined) {
      throw invalidOption(
        `Cannot listen on both unix ${JSON.stringify(path)} and hostname ${
          JSON.stringify(host)
        }: expected one of them`,
      );
    }
    return { ...names, address: unixAddress(path) };
  }
  return {
    ...names,
    address: Object.freeze<TcpAddressPlan>({
      transport: "tcp",
      hostname: withoutBrackets(names.hostname),
      port: portOption(port),
      reusePort: shared,
      ipv6Only: only6,
    }),
  };
}

function hostnameOption(value: unknown): string | undefined {
  const hostname = stringOption("hostname", value);
  if (hostname === undefined || hostname === "") return undefined;
  if (/[\0-\x20\x7f]/.test(hostname)) {
    throw wrongType("hostname", value, "a host name or an IP address");
  }
  return hostname;
}

function withoutBrackets(hostname: string): string {
  return /^\[.*:.*\]$/.test(hostname) ? hostname.slice(1, -1) : hostname;
}

function unixAddress(path: string): UnixAddressPlan {
  // The first character may be a NUL: then it is an abstract name.
  if (path.includes("\0", 1) || path === "\0") {
    throw wrongType("unix", path, "a path, or a NUL and an abstract name");
  }
  return Object.freeze<UnixAddressPlan>({ transport: "unix", path });
}
