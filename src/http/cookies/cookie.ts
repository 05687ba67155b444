import {
  checkedDomain,
  checkedExpires,
  checkedMaxAge,
  checkedName,
  checkedPath,
  checkedSameSite,
  checkedValue,
  type CookieSameSite,
  encodeCookieValue,
} from "./cookie_syntax.ts";
import { parseSetCookie } from "./set_cookie.ts";

export type { CookieSameSite } from "./cookie_syntax.ts";

/** Name, value and attributes of a cookie. `undefined` means absent. */
export interface CookieInit {
  /** Visible ASCII characters other than `=` and `;`. */
  readonly name?: string;
  /** Any text without CR, LF and NUL; it is sent percent-encoded. */
  readonly value?: string;
  /** Host that the cookie is sent to, with its subdomains. */
  readonly domain?: string | null;
  /**
   * Path that the cookie is sent to. Empty leaves it to the user agent.
   *
   * @default {"/"}
   */
  readonly path?: string;
  /**
   * When the cookie ends: a `Date`, **seconds** since the epoch, or a date in
   * the form of HTTP or ISO 8601, from the year 1601 to 9999.
   */
  readonly expires?: Date | number | string;
  /**
   * Seconds until the cookie ends; 0 or less ends it at once. Wins over
   * `expires`. Fractions are cut off.
   */
  readonly maxAge?: number;
  /**
   * Send it only over HTTPS.
   *
   * @default {false}
   */
  readonly secure?: boolean;
  /**
   * Hide it from scripts.
   *
   * @default {false}
   */
  readonly httpOnly?: boolean;
  /**
   * When it is sent with requests that other sites cause.
   *
   * @default {"lax"}
   */
  readonly sameSite?: CookieSameSite;
  /**
   * Keep it apart for each top-level site. User agents want `secure` with it.
   *
   * @default {false}
   */
  readonly partitioned?: boolean;
}

/**
 * One HTTP cookie: a name, a value, and the attributes of `Set-Cookie`
 * (RFC 6265). Everything is validated when it is set, so that a cookie can
 * always be sent.
 *
 * @example
 * ```ts
 * import { Cookie } from "@jstime/serve";
 * import { assertEquals } from "@std/assert";
 *
 * const cookie = new Cookie("theme", "dark", { maxAge: 3600, secure: true });
 * assertEquals(
 *   cookie.toString(),
 *   "theme=dark; Path=/; Max-Age=3600; Secure; SameSite=Lax",
 * );
 * ```
 */
export class Cookie {
  #name: string;
  #value: string;
  #domain: string;
  #path: string;
  #expires: number | undefined;
  #maxAge: number | undefined;
  #secure: boolean;
  #httpOnly: boolean;
  #sameSite: CookieSameSite;
  #partitioned: boolean;

  /**
   * Makes a cookie from a name, a value, and attributes.
   *
   * @throws {TypeError} If a part has characters that it cannot have.
   * @throws {RangeError} If `expires` or `maxAge` is out of range.
   */
  constructor(name: string, value: string, options?: CookieInit);
  /**
   * Makes a cookie from a `Set-Cookie` header value.
   *
   * @throws {TypeError} If it has no name or an invalid part.
   */
  constructor(cookieString: string);
  /**
   * Makes a cookie from an object with a name.
   *
   * @throws {TypeError} If the name is missing or a part is invalid.
   * @throws {RangeError} If `expires` or `maxAge` is out of range.
   */
  constructor(init: CookieInit);
  constructor(...parameters: [CookieInit | string, string?, CookieInit?]) {
    const [name, value, attributes] = readParameters(parameters);
    this.#name = checkedName(name);
    this.#value = checkedValue(this.#name, value);
    this.#domain = checkedDomain(attributes.domain);
    this.#path = checkedPath(attributes.path);
    this.#expires = checkedExpires(attributes.expires);
    this.#maxAge = checkedMaxAge(attributes.maxAge);
    this.#secure = Boolean(attributes.secure);
    this.#httpOnly = Boolean(attributes.httpOnly);
    this.#sameSite = checkedSameSite(attributes.sameSite);
    this.#partitioned = Boolean(attributes.partitioned);
  }

  static {
    // Without this, printing a cookie shows an empty object.
    Object.defineProperty(this.prototype, Symbol.for("Deno.customInspect"), {
      value: function (
        this: Cookie,
        inspect: (value: unknown, options: unknown) => string,
        options: unknown,
      ): string {
        return `Cookie ${inspect(this.toJSON(), options)}`;
      },
    });
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: "Cookie",
      configurable: true,
    });
  }

  /**
   * Reads a `Set-Cookie` header value. Attributes that make no sense are
   * ignored, as user agents do.
   *
   * @throws {TypeError} If it has no name or an invalid name, domain or path.
   *
   * @example
   * ```ts
   * import { Cookie } from "@jstime/serve";
   * import { assertEquals } from "@std/assert";
   *
   * const cookie = Cookie.parse("id=42; Path=/shop; HttpOnly");
   * assertEquals([cookie.value, cookie.path, cookie.httpOnly], [
   *   "42",
   *   "/shop",
   *   true,
   * ]);
   * ```
   */
  static parse(cookieString: string): Cookie {
    return new Cookie(`${cookieString}`);
  }

  /**
   * Makes a cookie; the same as `new Cookie(name, value, options)`.
   *
   * @throws {TypeError} If a part has characters that it cannot have.
   * @throws {RangeError} If `expires` or `maxAge` is out of range.
   */
  static from(name: string, value: string, options?: CookieInit): Cookie {
    return new Cookie(name, value, options);
  }

  /** The name. It cannot be changed. */
  get name(): string {
    return this.#name;
  }

  /** The value, not encoded. */
  get value(): string {
    return this.#value;
  }
  set value(value: string) {
    this.#value = checkedValue(this.#name, value);
  }

  /** The `Domain` attribute, null if absent. */
  get domain(): string | null {
    return this.#domain === "" ? null : this.#domain;
  }
  set domain(domain: string | null | undefined) {
    this.#domain = checkedDomain(domain);
  }

  /** The `Path` attribute, empty if absent. */
  get path(): string {
    return this.#path;
  }
  set path(path: string) {
    this.#path = checkedPath(path);
  }

  /** The `Expires` attribute: a copy, so changing that date changes nothing. */
  get expires(): Date | undefined {
    return this.#expires === undefined ? undefined : new Date(this.#expires);
  }
  set expires(expires: Date | number | string | null | undefined) {
    this.#expires = checkedExpires(expires);
  }

  /** The `Max-Age` attribute in seconds. */
  get maxAge(): number | undefined {
    return this.#maxAge;
  }
  set maxAge(maxAge: number | null | undefined) {
    this.#maxAge = checkedMaxAge(maxAge);
  }

  /** The `Secure` attribute. */
  get secure(): boolean {
    return this.#secure;
  }
  set secure(secure: boolean) {
    this.#secure = Boolean(secure);
  }

  /** The `HttpOnly` attribute. */
  get httpOnly(): boolean {
    return this.#httpOnly;
  }
  set httpOnly(httpOnly: boolean) {
    this.#httpOnly = Boolean(httpOnly);
  }

  /** The `SameSite` attribute. */
  get sameSite(): CookieSameSite {
    return this.#sameSite;
  }
  set sameSite(sameSite: CookieSameSite) {
    this.#sameSite = checkedSameSite(sameSite);
  }

  /** The `Partitioned` attribute. */
  get partitioned(): boolean {
    return this.#partitioned;
  }
  set partitioned(partitioned: boolean) {
    this.#partitioned = Boolean(partitioned);
  }

  /** Whether the cookie has ended. `maxAge` wins over `expires`. */
  isExpired(): boolean {
    if (this.#maxAge !== undefined) return this.#maxAge <= 0;
    return this.#expires !== undefined && this.#expires <= Date.now();
  }

  /** The value of a `Set-Cookie` header. */
  serialize(): string {
    let text = `${this.#name}=${encodeCookieValue(this.#value)}`;
    if (this.#domain !== "") text += `; Domain=${this.#domain}`;
    if (this.#path !== "") text += `; Path=${this.#path}`;
    if (this.#expires !== undefined) {
      text += `; Expires=${new Date(this.#expires).toUTCString()}`;
    }
    if (this.#maxAge !== undefined) text += `; Max-Age=${this.#maxAge}`;
    if (this.#secure) text += "; Secure";
    if (this.#httpOnly) text += "; HttpOnly";
    if (this.#partitioned) text += "; Partitioned";
    return `${text}; SameSite=${SAME_SITE_NAMES[this.#sameSite]}`;
  }

  /** The value of a `Set-Cookie` header; the same as `serialize()`. */
  toString(): string {
    return this.serialize();
  }

  /** Name, value and attributes as a plain object. */
  toJSON(): CookieInit {
    return {
      name: this.#name,
      value: this.#value,
      ...(this.#domain === "" ? {} : { domain: this.#domain }),
      path: this.#path,
      ...(this.expires && { expires: this.expires }),
      ...(this.#maxAge === undefined ? {} : { maxAge: this.#maxAge }),
      secure: this.#secure,
      sameSite: this.#sameSite,
      httpOnly: this.#httpOnly,
      partitioned: this.#partitioned,
    };
  }
}

const SAME_SITE_NAMES: Record<CookieSameSite, string> = {
  strict: "Strict",
  lax: "Lax",
  none: "None",
};

type Parts = [name: unknown, value: unknown, attributes: CookieInit];

function readParameters(
  parameters: [CookieInit | string, string?, CookieInit?],
): Parts {
  const [first, value, options] = parameters;
  if (typeof first === "object" && first !== null) return partsOf(first);
  if (parameters.length < 2) {
    if (typeof first === "string") return partsOf(parseSetCookie(first));
    throw new TypeError(
      "Cannot make a cookie: expected a name and a value, an object, or a string",
    );
  }
  const attributes = options ?? {};
  if (typeof attributes !== "object") {
    throw new TypeError("Cannot make a cookie: expected options as an object");
  }
  return [first, value, attributes];
}

function partsOf(init: CookieInit): Parts {
  if (init.name === undefined || init.name === null) {
    throw new TypeError("Cannot make a cookie: expected a name");
  }
  return [init.name, init.value ?? "", init];
}
