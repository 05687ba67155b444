import { assertEquals } from "@std/assert";
import {
  type ConditionResult,
  evaluateConditions,
  isRangeCurrent,
} from "../../src/http/files/conditional.ts";
import {
  formatHttpDate,
  parseHttpDate,
} from "../../src/http/files/http_date.ts";

const TIME = Date.UTC(2020, 0, 2, 3, 4, 5);
const BEFORE = "Thu, 02 Jan 2020 03:04:04 GMT";
const EXACT = "Thu, 02 Jan 2020 03:04:05 GMT";
const AFTER = "Thu, 02 Jan 2020 03:04:06 GMT";

type Case = [
  fields: Record<string, string>,
  etag: string | undefined,
  expected: ConditionResult,
];

const CONDITIONS: Case[] = [
  [{}, undefined, "proceed"],
  [{ "if-modified-since": BEFORE }, undefined, "proceed"],
  [{ "if-modified-since": EXACT }, undefined, "not-modified"],
  [{ "if-modified-since": AFTER }, undefined, "not-modified"],
  [{ "if-modified-since": "garbage" }, undefined, "proceed"],
  [{ "if-modified-since": "2021-01-01" }, undefined, "proceed"],
  [{ "if-modified-since": "" }, undefined, "proceed"],
  [{ "if-unmodified-since": BEFORE }, undefined, "precondition-failed"],
  [{ "if-unmodified-since": EXACT }, undefined, "proceed"],
  [{ "if-unmodified-since": AFTER }, undefined, "proceed"],
  [{ "if-unmodified-since": "garbage" }, undefined, "proceed"],

  [{ "if-none-match": "*" }, undefined, "not-modified"],
  [{ "if-none-match": "*" }, '"a"', "not-modified"],
  [{ "if-none-match": '"a"' }, undefined, "proceed"],
  [{ "if-none-match": '"a"' }, '"a"', "not-modified"],
  [{ "if-none-match": 'W/"a"' }, '"a"', "not-modified"],
  [{ "if-none-match": '"a"' }, 'W/"a"', "not-modified"],
  [{ "if-none-match": '"b", W/"a"' }, 'W/"a"', "not-modified"],
  [{ "if-none-match": '"b"' }, '"a"', "proceed"],
  [{ "if-none-match": "a" }, '"a"', "proceed"],
  [{ "if-none-match": "" }, '"a"', "proceed"],

  [{ "if-match": "*" }, undefined, "proceed"],
  [{ "if-match": '"a"' }, '"a"', "proceed"],
  [{ "if-match": '"b", "a"' }, '"a"', "proceed"],
  [{ "if-match": '"b"' }, '"a"', "precondition-failed"],
  [{ "if-match": '"a"' }, undefined, "precondition-failed"],
  [{ "if-match": 'W/"a"' }, 'W/"a"', "precondition-failed"],
  [{ "if-match": '"a"' }, 'W/"a"', "precondition-failed"],

  // RFC 9110, 13.2.2: a tag silences the date of the same pair.
  [
    { "if-none-match": '"b"', "if-modified-since": AFTER },
    '"a"',
    "proceed",
  ],
  [
    { "if-match": '"a"', "if-unmodified-since": BEFORE },
    '"a"',
    "proceed",
  ],
  // And the first pair comes before the second.
  [
    { "if-match": '"b"', "if-none-match": '"a"' },
    '"a"',
    "precondition-failed",
  ],
  [
    { "if-unmodified-since": BEFORE, "if-modified-since": AFTER },
    undefined,
    "precondition-failed",
  ],
];

for (const [fields, etag, expected] of CONDITIONS) {
  Deno.test(`conditions ${JSON.stringify(fields)} on ${etag}: ${expected}`, () => {
    const current = { etag, lastModified: TIME };
    assertEquals(evaluateConditions(new Headers(fields), current), expected);
  });
}

Deno.test("date conditions are ignored without Last-Modified", () => {
  const current = { etag: undefined, lastModified: undefined };
  for (const name of ["if-modified-since", "if-unmodified-since"]) {
    const fields = new Headers({ [name]: BEFORE });
    assertEquals(evaluateConditions(fields, current), "proceed");
  }
});

const IF_RANGE: [
  field: string | undefined,
  etag: string | undefined,
  current: boolean,
][] = [
  [undefined, undefined, true],
  [EXACT, undefined, true],
  [BEFORE, undefined, false],
  [AFTER, undefined, false],
  ["garbage", undefined, false],
  ["", undefined, false],
  ['"a"', '"a"', true],
  ['"b"', '"a"', false],
  ['"a"', undefined, false],
  ['W/"a"', 'W/"a"', false],
  ['"a"', 'W/"a"', false],
  ['"a", "b"', '"a"', false],
  ["*", '"a"', false],
];

for (const [field, etag, expected] of IF_RANGE) {
  Deno.test(`If-Range ${field} on ${etag}: ${expected}`, () => {
    const fields = new Headers(
      field === undefined ? {} : { "if-range": field },
    );
    const current = { etag, lastModified: TIME };
    assertEquals(isRangeCurrent(fields, current), expected);
  });
}

Deno.test("If-Range with a date fails without Last-Modified", () => {
  const fields = new Headers({ "if-range": EXACT });
  const current = { etag: undefined, lastModified: undefined };
  assertEquals(isRangeCurrent(fields, current), false);
});

const NEXT_CENTURY = new Date().getUTCFullYear() + 51;

const DATES: [text: string, time: number | undefined][] = [
  [EXACT, TIME],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 784111777000],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 784111777000],
  ["Sun Nov  6 08:49:37 1994", 784111777000],
  ["Wed Nov 16 08:49:37 1994", 784975777000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["Wed, 31 Dec 1969 23:59:59 GMT", -1000],
  ["Sat, 29 Feb 2020 00:00:00 GMT", Date.UTC(2020, 1, 29)],
  ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
  [
    `Friday, 01-Jan-${
      String(NEXT_CENTURY % 100).padStart(2, "0")
    } 00:00:00 GMT`,
    Date.UTC(NEXT_CENTURY - 100, 0, 1),
  ],
  ["Fri, 01 Jan 0099 00:00:00 GMT", new Date("0099-01-01").getTime()],
  ["Sat, 30 Feb 2020 00:00:00 GMT", undefined],
  ["Fri, 29 Feb 2019 00:00:00 GMT", undefined],
  ["Thu, 00 Jan 2020 00:00:00 GMT", undefined],
  ["Thu, 32 Jan 2020 00:00:00 GMT", undefined],
  ["Thu, 02 Foo 2020 03:04:05 GMT", undefined],
  ["Thu, 02 Jan 2020 24:00:00 GMT", undefined],
  ["Thu, 02 Jan 2020 03:60:00 GMT", undefined],
  ["Thu, 02 Jan 2020 03:04:61 GMT", undefined],
  ["Thu, 02 Jan 2020 03:04:05", undefined],
  ["Thu, 02 Jan 2020 03:04:05 UTC", undefined],
  ["Thu, 02 Jan 2020 03:04:05 +0000", undefined],
  ["thu, 02 jan 2020 03:04:05 gmt", undefined],
  [" Thu, 02 Jan 2020 03:04:05 GMT", undefined],
  ["2020-01-02T03:04:05Z", undefined],
  ["1577934245", undefined],
  ["", undefined],
];

for (const [text, time] of DATES) {
  Deno.test(`parseHttpDate(${JSON.stringify(text)})`, () => {
    assertEquals(parseHttpDate(text), time);
  });
}

Deno.test("formatHttpDate() cuts fractions of a second off", () => {
  assertEquals(formatHttpDate(TIME + 999.9), EXACT);
  assertEquals(formatHttpDate(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  assertEquals(parseHttpDate(formatHttpDate(TIME + 1)), TIME);
});
