import { Cookie, type CookieInit } from "./cookie.ts";
import {
  decodeCookieValue,
  nameAndValue,
  semicolonParts,
} from "./cookie_syntax.ts";

/** Which cookie to delete: user agents go by name, domain and path. */
export interface CookieStoreDeleteOptions {
  /** The name. */
  readonly name: string;
  /** The domain that it was set with. */
  readonly domain?: string | null;
  /**
   * The path that it was set with.
   *
   * @default {"/"}
   */
  readonly path?: string;
  /**
   * Whether to send `Secure`. Names that begin with `__Secure-` or `__Host-`
   * get it always, because user agents ignore them without.
   *
   * @default {false}
   */
  readonly secure?: boolean;
  /**
   * Whether the cookie was set with `partitioned`.
   *
   * @default {false}
   */
  readonly partitioned?: boolean;
}

interface Change {
  readonly cookie: Cookie;
  readonly isRemoval: boolean;
}

/**
 * The cookies of a request, as a map from names to values, and the changes to
 * send back with `Set-Cookie`.
 *
 * Reading is lenient: any `Cookie` header makes a map, without throwing. Where
 * a name arrives more than once, `get` returns the first value, which belongs
 * to the longest path (RFC 6265, section 5.4). Writing is strict: what cannot
 * be sent is refused.
 *
 * @example In a route
 * ```ts
 * import { serve } from "@jstime/serve";
 *
 * await using server = serve({
 *   port: 0,
 *   routes: {
 *     "/visit": (request) => {
 *       const visits = Number(request.cookies.get("visits") ?? 0) + 1;
 *       request.cookies.set("visits", String(visits), { httpOnly: true });
 *       return new Response(`Visit ${visits}`);
 *     },
 *   },
 * });
 * const response = await fetch(new URL("/visit", server.url));
 * await response.body?.cancel();
 * ```
 *
 * @example On its own
 * ```ts
 * import { CookieMap } from "@jstime/serve";
 * import { assertEquals } from "@std/assert";
 *
 * const cookies = new CookieMap("session=abc; theme=dark");
 * cookies.delete("theme");
 * assertEquals([...cookies], [["session", "abc"]]);
 * assertEquals(cookies.toSetCookieHeaders(), [
 *   "theme=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax",
 * ]);
 * ```
 */
export class CookieMap implements Iterable<[string, string]> {
  /** Header that has not been looked at yet. */
  #header: string | undefined;
  /** Cookies as they arrived, in their order; not decoded if `#isEncoded`. */
  #received: [string, string][] = [];
  /** The first value of each name in `#received`. */
  #firstValues: Map<string, string> = new Map();
  #isEncoded = false;
  /** By name, the latest change last; undefined while nothing has changed. */
  #changes: Map<string, Change> | undefined;

  /**
   * Makes a map from a `Cookie` header, pairs, or an object. Only values in a
   * header are percent-decoded. What is passed here is not a change.
   *
   * @throws {TypeError} If `init` is something else.
   */
  constructor(
    init?: string | Iterable<readonly string[]> | Record<string, string> | null,
  ) {
    if (typeof init === "string") {
      this.#header = init;
      this.#isEncoded = true;
    } else if (init !== undefined && init !== null) {
      for (const [name, value] of pairsOf(init)) this.#receive(name, value);
    }
  }

  static {
    // Without this, printing a map shows an empty object.
    Object.defineProperty(this.prototype, Symbol.for("Deno.customInspect"), {
      value: function (
        this: CookieMap,
        inspect: (value: unknown, options: unknown) => string,
        options: unknown,
      ): string {
        return `CookieMap ${inspect(this.toJSON(), options)}`;
      },
    });
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: "CookieMap",
      configurable: true,
    });
  }

  /** The number of cookies, changes included. */
  get size(): number {
    return this.#entries().length;
  }

  /** The value of a cookie, or null if there is none with that name. */
  get(name: string): string | null {
    const key = `${name}`;
    const change = this.#changes?.get(key);
    if (change !== undefined) {
      return change.isRemoval ? null : change.cookie.value;
    }
    this.#parse();
    const value = this.#firstValues.get(key);
    return value === undefined ? null : this.#decode(value);
  }

  /** Whether there is a cookie with that name. */
  has(name: string): boolean {
    const key = `${name}`;
    const change = this.#changes?.get(key);
    if (change !== undefined) return !change.isRemoval;
    this.#parse();
    return this.#firstValues.has(key);
  }

  /**
   * Sets a cookie. One name is sent once: a later change replaces an earlier.
   *
   * @throws {TypeError} If a part has characters that it cannot have.
   * @throws {RangeError} If `expires` or `maxAge` is out of range.
   */
  set(name: string, value: string, options?: CookieInit): void;
  /**
   * Sets a cookie. A `Cookie` is kept, so later changes to it are sent too.
   *
   * @throws {TypeError} If the name is missing or a part is invalid.
   * @throws {RangeError} If `expires` or `maxAge` is out of range.
   */
  set(cookie: Cookie | CookieInit): void;
  set(...parameters: [Cookie | CookieInit | string, string?, CookieInit?]) {
    const [first, value, options] = parameters;
    if (typeof first === "object" && first !== null) {
      const cookie = first instanceof Cookie ? first : new Cookie(first);
      return this.#change(cookie, false);
    }
    if (parameters.length < 2) {
      throw new TypeError(
        "Cannot set cookie: expected a name and a value, or an object",
      );
    }
    // The assertion only picks an overload: Cookie converts what it is given.
    this.#change(new Cookie(first, value as string, options), false);
  }

  /**
   * Deletes a cookie here, and in the user agent by a `Set-Cookie` that ended
   * in 1970; that one is sent even if the cookie did not arrive. Domain and
   * path must be those that it was set with.
   *
   * @throws {TypeError} If a part has characters that it cannot have.
   */
  delete(name: string, options?: Omit<CookieStoreDeleteOptions, "name">): void;
  /**
   * Deletes a cookie.
   *
   * @throws {TypeError} If the name is missing or a part is invalid.
   */
  delete(options: CookieStoreDeleteOptions): void;
  delete(
    first: string | CookieStoreDeleteOptions,
    options?: Omit<CookieStoreDeleteOptions, "name">,
  ): void {
    const isObject = typeof first === "object" && first !== null;
    const name = isObject ? first.name : first;
    if (name === undefined || name === null) {
      throw new TypeError("Cannot delete cookie: expected a name");
    }
    const { domain, path, secure, partitioned } = isObject
      ? first
      : options ?? {};
    const cookie = new Cookie(name, "", {
      domain,
      path,
      partitioned,
      secure: secure || /^__(?:secure|host)-/i.test(name),
      expires: 0,
    });
    this.#change(cookie, true);
  }

  /** The cookies as an object; of several with one name the first. */
  toJSON(): Record<string, string> {
    const values = new Map<string, string>();
    for (const [name, value] of this.#entries()) {
      if (!values.has(name)) values.set(name, value);
    }
    // Unlike assignment, this makes an ordinary property of `__proto__`.
    return Object.fromEntries(values);
  }

  /**
   * The `Set-Cookie` header values that apply the changes, one for each name;
   * empty, at no cost, if nothing has changed.
   */
  toSetCookieHeaders(): string[] {
    if (this.#changes === undefined) return [];
    return Array.from(
      this.#changes.values(),
      (change) => change.cookie.serialize(),
    );
  }

  /** Names and values: changed cookies first, then the others as they came. */
  entries(): IterableIterator<[string, string]> {
    return this.#entries().values();
  }

  /** Names, in the order of `entries()`. */
  keys(): IterableIterator<string> {
    return this.#entries().values().map(([name]) => name);
  }

  /** Values, in the order of `entries()`. */
  values(): IterableIterator<string> {
    return this.#entries().values().map(([_, value]) => value);
  }

  /** Names and values; the same as `entries()`. */
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  /** Calls a function with each value and name, in the order of `entries()`. */
  forEach(
    callback: (value: string, name: string, map: CookieMap) => void,
    thisArg?: unknown,
  ): void {
    for (const [name, value] of this.#entries()) {
      callback.call(thisArg, value, name, this);
    }
  }

  #receive(name: string, value: string): void {
    this.#received.push([name, value]);
    if (!this.#firstValues.has(name)) this.#firstValues.set(name, value);
  }

  /** Looks at the header, once, when somebody asks. */
  #parse(): void {
    if (this.#header === undefined) return;
    for (const part of semicolonParts(this.#header)) {
      const pair = nameAndValue(part);
      if (pair !== undefined) this.#receive(pair[0], pair[1]);
    }
    this.#header = undefined;
  }

  #decode(value: string): string {
    return this.#isEncoded ? decodeCookieValue(value) : value;
  }

  #change(cookie: Cookie, isRemoval: boolean): void {
    this.#changes ??= new Map();
    this.#changes.delete(cookie.name);
    this.#changes.set(cookie.name, { cookie, isRemoval });
  }

  /** A copy, so that changes during an iteration do not disturb it. */
  #entries(): [string, string][] {
    this.#parse();
    const entries: [string, string][] = [];
    for (const { cookie, isRemoval } of this.#changes?.values() ?? []) {
      if (!isRemoval) entries.push([cookie.name, cookie.value]);
    }
    for (const [name, value] of this.#received) {
      if (this.#changes?.has(name)) continue;
      entries.push([name, this.#decode(value)]);
    }
    return entries;
  }
}

function* pairsOf(
  init: Iterable<readonly string[]> | Record<string, string>,
): Generator<[string, string]> {
  if (typeof init !== "object") {
    throw new TypeError(
      `Cannot make a CookieMap of a ${typeof init}: expected a Cookie header, pairs, or an object`,
    );
  }
  const isIterable = Symbol.iterator in init;
  const pairs = isIterable
    ? init as Iterable<readonly string[]>
    : Object.entries(init);
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(
        "Cannot make a CookieMap: expected pairs of a name and a value",
      );
    }
    yield [`${pair[0]}`, `${pair[1]}`];
  }
}
