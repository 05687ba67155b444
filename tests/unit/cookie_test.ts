import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Cookie, type CookieInit } from "../../src/http/cookies/cookie.ts";
import { parseCookieDate } from "../../src/http/cookies/cookie_date.ts";

/** Passes values of any type where TypeScript would not. */
function cookieOf(...parameters: unknown[]): Cookie {
  return Reflect.construct(Cookie, parameters) as Cookie;
}

Deno.test("Cookie serialises its attributes in one order", () => {
  const cookie = new Cookie("a", "b", {
    sameSite: "none",
    partitioned: true,
    httpOnly: true,
    secure: true,
    maxAge: 5,
    expires: new Date(0),
    path: "/p",
    domain: "example.com",
  });
  const text =
    "a=b; Domain=example.com; Path=/p; Expires=Thu, 01 Jan 1970 00:00:00 GMT; " +
    "Max-Age=5; Secure; HttpOnly; Partitioned; SameSite=None";
  assertEquals(cookie.serialize(), text);
  assertEquals(String(cookie), text);
  assertEquals(JSON.parse(JSON.stringify(cookie)), {
    name: "a",
    value: "b",
    domain: "example.com",
    path: "/p",
    expires: "1970-01-01T00:00:00.000Z",
    maxAge: 5,
    secure: true,
    sameSite: "none",
    httpOnly: true,
    partitioned: true,
  });
});

Deno.test("Cookie has the defaults Path=/ and SameSite=Lax", () => {
  const cookie = new Cookie("a", "b");
  assertEquals(cookie.serialize(), "a=b; Path=/; SameSite=Lax");
  assertEquals(cookie.domain, null);
  assertEquals(cookie.expires, undefined);
  assertEquals(cookie.maxAge, undefined);
  assertFalse(cookie.isExpired());
  assertEquals(Object.keys(cookie), []);
});

Deno.test("Cookie treats undefined and null options as absent", () => {
  for (const absent of [undefined, null]) {
    const names = [
      "domain",
      "path",
      "expires",
      "maxAge",
      "secure",
      "httpOnly",
      "sameSite",
      "partitioned",
    ];
    const options = Object.fromEntries(names.map((name) => [name, absent]));
    assertEquals(
      cookieOf("a", "b", options).serialize(),
      "a=b; Path=/; SameSite=Lax",
    );
    assertEquals(
      cookieOf("a", "b", absent).serialize(),
      "a=b; Path=/; SameSite=Lax",
    );
  }
});

Deno.test("Cookie encodes values", () => {
  const cases: [unknown, string][] = [
    ["", ""],
    [" ", "%20"],
    ['b c;=\u00fc",%20', "b%20c%3B%3D%C3%BC%22%2C%2520"],
    ["!'()*-._~", "!'()*-._~"],
    ["\t\u0001\u007f", "%09%01%7F"],
    ["\ud800", "%EF%BF%BD"],
    [5, "5"],
    [null, "null"],
  ];
  for (const [value, expected] of cases) {
    const text = cookieOf("n", value).serialize();
    assertEquals(text, `n=${expected}; Path=/; SameSite=Lax`);
  }
});

Deno.test("Cookie refuses names that would break the header", () => {
  const names = ["", " ", "a b", "a=b", "a;b", "a\r\n", "a\0", "\u00fc", "a\t"];
  for (const name of [...names, "a\x7f", {}, Symbol("s")]) {
    assertThrows(() => cookieOf(name, "v"), TypeError);
    assertThrows(() => cookieOf({ name, value: "v" }), TypeError);
  }
  for (const name of ["__proto__", "a,b", "a[b]", "$x", "a%20b"]) {
    assertEquals(
      new Cookie(name, "v").serialize(),
      `${name}=v; Path=/; SameSite=Lax`,
    );
  }
});

Deno.test("Cookie refuses CR, LF and NUL in every part", () => {
  for (const breaker of ["\r", "\n", "\0", "\r\nSet-Cookie: evil=1"]) {
    const text = `x${breaker}y`;
    const attempts: (() => unknown)[] = [
      () => new Cookie(text, "v"),
      () => new Cookie("n", text),
      () => new Cookie("n", "v", { domain: text }),
      () => new Cookie("n", "v", { path: `/${text}` }),
      () => new Cookie("n", "v", { sameSite: text as "lax" }),
      () => new Cookie(`n=v; Path=/${text}`),
      () => Cookie.parse(`n=${text}`),
      () => new Cookie("n", "v").value = text,
      () => new Cookie("n", "v").domain = text,
      () => new Cookie("n", "v").path = text,
    ];
    for (const attempt of attempts) assertThrows(attempt, TypeError);
  }
});

Deno.test("Cookie does not repeat a refused value in its message", () => {
  const error = assertThrows(() => new Cookie("n", "secret\n"), TypeError);
  assertFalse(error.message.includes("secret"));
});

Deno.test("Cookie validates attributes", () => {
  type ErrorClass = typeof TypeError | typeof RangeError;
  const cases: [CookieInit | Record<string, unknown>, string | ErrorClass][] = [
    [{ domain: "" }, "; Path=/"],
    [{ domain: ".Example.COM" }, "; Domain=.example.com; Path=/"],
    [{ domain: "a;b" }, TypeError],
    [{ domain: "a b" }, TypeError],
    [{ domain: "a:80" }, TypeError],
    [{ domain: "\u00fc.example" }, TypeError],
    [{ path: "" }, ""],
    [{ path: "/a b,%20" }, "; Path=/a b,%20"],
    [{ path: "/a;b" }, TypeError],
    [{ path: "/\u00fc" }, TypeError],
    [{ path: "/\x7f" }, TypeError],
    [{ maxAge: 0 }, "; Path=/; Max-Age=0"],
    [{ maxAge: -0 }, "; Path=/; Max-Age=0"],
    [{ maxAge: -1 }, "; Path=/; Max-Age=-1"],
    [{ maxAge: 1.9 }, "; Path=/; Max-Age=1"],
    [{ maxAge: "60" }, "; Path=/; Max-Age=60"],
    [{ maxAge: NaN }, RangeError],
    [{ maxAge: Infinity }, RangeError],
    [{ maxAge: 1e21 }, RangeError],
    [{ maxAge: "x" }, TypeError],
    [{ maxAge: "" }, TypeError],
    [{ maxAge: true }, TypeError],
    [{ expires: 1 }, "; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT"],
    [{ expires: -1 }, "; Path=/; Expires=Wed, 31 Dec 1969 23:59:59 GMT"],
    [
      { expires: "Wed, 21 Oct 2015 07:28:00 GMT" },
      "; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
    ],
    [
      { expires: "2030-01-02T03:04:05.678Z" },
      "; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT",
    ],
    [{ expires: new Date(NaN) }, RangeError],
    [{ expires: NaN }, RangeError],
    [{ expires: Infinity }, RangeError],
    [{ expires: Date.UTC(2030, 0) }, RangeError], // milliseconds by mistake
    [{ expires: new Date(8.64e15) }, RangeError],
    [{ expires: "junk" }, TypeError],
    [{ expires: "junk 5" }, TypeError],
    [{ expires: "" }, TypeError],
    [{ expires: true }, TypeError],
    [{ expires: {} }, TypeError],
    [{ sameSite: "x" }, TypeError],
    [{ sameSite: "" }, TypeError],
    [{ sameSite: false }, TypeError],
    [{ secure: 1, httpOnly: "" }, "; Path=/; Secure"],
  ];
  for (const [options, expected] of cases) {
    const make = () => cookieOf("n", "v", options);
    if (typeof expected === "string") {
      assertEquals(make().serialize(), `n=v${expected}; SameSite=Lax`);
    } else {
      assertThrows(make, expected);
    }
  }
  assertEquals(
    cookieOf("n", "v", { sameSite: "STRICT" }).sameSite,
    "strict",
  );
});

Deno.test("Cookie is made from an object or another cookie", () => {
  const cookie = new Cookie({ name: "a", value: "b", maxAge: 5 });
  assertEquals(cookie.serialize(), "a=b; Path=/; Max-Age=5; SameSite=Lax");
  assertEquals(new Cookie({ name: "a" }).value, "");
  assertEquals(new Cookie(cookie).serialize(), cookie.serialize());
  assertEquals(
    new Cookie(cookie.toJSON()).serialize(),
    cookie.serialize(),
  );
  assertEquals(
    new Cookie("a", "b", { name: "x", value: "y" }).serialize(),
    "a=b; Path=/; SameSite=Lax",
  );
  for (const parameters of [[], [null], [5], [{}], ["a", "b", 5]]) {
    assertThrows(() => cookieOf(...parameters), TypeError);
  }
});

Deno.test("Cookie.parse reads what user agents read", () => {
  const cases: [string, string | undefined][] = [
    ["a=b", "a=b; Path=/; SameSite=Lax"],
    [" a = b ; Path = /p ", "a=b; Path=/p; SameSite=Lax"],
    ["a=b=c", "a=b%3Dc; Path=/; SameSite=Lax"],
    ["a=%20%41", "a=%20A; Path=/; SameSite=Lax"],
    ["a=%zz%41", "a=%25zzA; Path=/; SameSite=Lax"],
    ['a="q"', "a=%22q%22; Path=/; SameSite=Lax"],
    ["a=b;;;", "a=b; Path=/; SameSite=Lax"],
    ["a=b; unknown=1; Secure=false", "a=b; Path=/; Secure; SameSite=Lax"],
    ["a=b; Path=/1; Path=/2", "a=b; Path=/2; SameSite=Lax"],
    ["a=b; Path=x", "a=b; Path=/; SameSite=Lax"],
    ["a=b; Domain=", "a=b; Path=/; SameSite=Lax"],
    ["a=b; Max-Age=x", "a=b; Path=/; SameSite=Lax"],
    ["a=b; Max-Age=1.5", "a=b; Path=/; SameSite=Lax"],
    ["a=b; max-age=-1", "a=b; Path=/; Max-Age=-1; SameSite=Lax"],
    [
      "a=b; Max-Age=99999999999999999999",
      "a=b; Path=/; Max-Age=9007199254740991; SameSite=Lax",
    ],
    ["a=b; Expires=junk; SameSite=foo", "a=b; Path=/; SameSite=Lax"],
    [
      "a=b;Domain=.EX.com;Max-Age=5;Expires=Wed, 21-Oct-15 07:28:00 GMT;" +
      "SameSite=STRICT;Partitioned;HTTPONLY",
      "a=b; Domain=.ex.com; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT; " +
      "Max-Age=5; HttpOnly; Partitioned; SameSite=Strict",
    ],
    ["", undefined],
    ["a", undefined],
    ["=b", undefined],
    ["a b=c", undefined],
    ["a=b; Path=/\u00fc", undefined],
    ["a=b; Domain=x y", undefined],
  ];
  for (const [text, expected] of cases) {
    if (expected === undefined) {
      assertThrows(() => Cookie.parse(text), TypeError);
    } else {
      const cookie = Cookie.parse(text);
      assertEquals(cookie.serialize(), expected, text);
      assertEquals(Cookie.parse(expected).serialize(), expected, text);
      assertEquals(new Cookie(text).serialize(), expected, text);
    }
  }
});

Deno.test("Cookie attributes can be changed, the name cannot", () => {
  const cookie = Cookie.from("a", "b");
  cookie.value = "c d";
  cookie.domain = "example.com";
  cookie.path = "/x";
  cookie.expires = 10;
  cookie.maxAge = 5;
  cookie.secure = true;
  cookie.httpOnly = true;
  cookie.partitioned = true;
  cookie.sameSite = "strict";
  assertEquals(
    cookie.serialize(),
    "a=c%20d; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:10 " +
      "GMT; Max-Age=5; Secure; HttpOnly; Partitioned; SameSite=Strict",
  );
  assertThrows(() => Reflect.set(cookie, "maxAge", "x"), TypeError);
  assertThrows(() => Reflect.set(cookie, "expires", "x"), TypeError);
  assertThrows(() => Reflect.set(cookie, "domain", "a;b"), TypeError);
  cookie.domain = null;
  cookie.expires = undefined;
  cookie.maxAge = undefined;
  assertEquals(
    cookie.serialize(),
    "a=c%20d; Path=/x; Secure; HttpOnly; Partitioned; SameSite=Strict",
  );
  assertFalse(Reflect.set(cookie, "name", "other"));
  assertEquals(cookie.name, "a");
});

Deno.test("Cookie keeps its expiry when a date is changed", () => {
  const date = new Date(5000);
  const cookie = new Cookie("a", "b", { expires: date });
  date.setTime(0);
  cookie.expires?.setTime(1e12);
  assertEquals(cookie.expires, new Date(5000));
});

Deno.test("Cookie.isExpired lets maxAge win over expires", () => {
  const future = new Date(Date.now() + 3_600_000);
  const cases: [CookieInit, boolean][] = [
    [{ expires: 0 }, true],
    [{ expires: future }, false],
    [{ maxAge: 0 }, true],
    [{ maxAge: -5 }, true],
    [{ maxAge: 5 }, false],
    [{ maxAge: 5, expires: 0 }, false],
    [{ maxAge: 0, expires: future }, true],
  ];
  for (const [options, expected] of cases) {
    assertEquals(new Cookie("a", "b", options).isExpired(), expected);
  }
});

Deno.test("parseCookieDate reads the forms of RFC 6265", () => {
  const date = Date.UTC(1994, 10, 6, 8, 49, 37);
  const cases: [string, number | undefined][] = [
    ["Sun, 06 Nov 1994 08:49:37 GMT", date],
    ["Sunday, 06-Nov-94 08:49:37 GMT", date],
    ["Sun Nov  6 08:49:37 1994", date],
    ["6 november 1994 8:49:37", date],
    ["Fri, 01 Jan 69 00:00:00 GMT", Date.UTC(2069, 0, 1)],
    ["Mon, 29 Feb 2016 00:00:00 GMT", Date.UTC(2016, 1, 29)],
    ["Mon, 29 Feb 2015 00:00:00 GMT", undefined],
    ["Mon, 00 Jan 2015 00:00:00 GMT", undefined],
    ["Mon, 32 Jan 2015 00:00:00 GMT", undefined],
    ["01 Jan 1600 00:00:00", undefined],
    ["01 Jan 2015 24:00:00", undefined],
    ["01 Jan 2015 00:60:00", undefined],
    ["01 Jan 2015", undefined],
    ["00:00:00 Jan 2015", undefined],
    ["", undefined],
    ["a".repeat(100_000), undefined],
    ["1".repeat(100_000), undefined],
    [":".repeat(100_000), undefined],
  ];
  for (const [text, expected] of cases) {
    assertEquals(parseCookieDate(text), expected, text.slice(0, 40));
  }
});

Deno.test("Cookie prints its content", () => {
  const text = Deno.inspect(new Cookie("a", "b"), { colors: false });
  assert(text.startsWith("Cookie {"), text);
  assert(text.includes('name: "a"'), text);
});
