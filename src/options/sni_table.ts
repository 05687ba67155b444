/**
 * Which certificate a TLS client gets by the name that it asks for (Server
 * Name Indication, RFC 6066 section 3).
 *
 * @module
 */

import { domainToASCII } from "node:url";

/**
 * Values by host name. An exact name goes before `*.example.com`, which
 * matches exactly one label; every other name, and none, gets the first value.
 */
export class SniTable<Value> {
  readonly #exact: Map<string, Value> = new Map();
  readonly #wildcard: Map<string, Value> = new Map();
  readonly #default: Value;

  /**
   * @param entries Names and their values. Of two equal names the later counts;
   * the first value is also the default, with or without a name.
   */
  constructor(entries: readonly (readonly [string | undefined, Value])[]) {
    const [first] = entries;
    if (first === undefined) {
      throw new TypeError("Cannot make an SNI table without an entry");
    }
    this.#default = first[1];
    for (const [name, value] of entries) {
      if (name === undefined) continue;
      const normal = normalizeServerName(name);
      if (normal.startsWith("*.")) this.#wildcard.set(normal.slice(2), value);
      else this.#exact.set(normal, value);
    }
  }

  /**
   * The value for a name that a client asks for.
   *
   * @param name In any case; empty if the client asks for none.
   */
  select(name: string): Value {
    const normal = withoutFinalDot(name.toLowerCase());
    const exact = this.#exact.get(normal);
    if (exact !== undefined) return exact;
    const dot = normal.indexOf(".");
    const wildcard = dot > 0
      ? this.#wildcard.get(normal.slice(dot + 1))
      : undefined;
    return wildcard ?? this.#default;
  }
}

/**
 * Brings a server name to the form that clients send: lower case, Punycode.
 *
 * @returns Empty text if it is neither a host name nor one after `*.`.
 */
export function normalizeServerName(name: string): string {
  const isWildcard = name.startsWith("*.");
  const host = withoutFinalDot(isWildcard ? name.slice(2) : name);
  const ascii = domainToASCII(host).toLowerCase();
  if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(ascii)) return "";
  if (ascii.includes("..")) return "";
  return isWildcard ? `*.${ascii}` : ascii;
}

function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
