/**
 * Dates in HTTP fields (RFC 9110, section 5.6.7).
 *
 * @module
 */

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];

const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC_850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) (\d\d| \d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** Milliseconds since the epoch as an IMF-fixdate; fractions are cut off. */
export function formatHttpDate(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toUTCString();
}

/**
 * Reads one of the three forms of an HTTP date.
 *
 * @returns milliseconds since the epoch; undefined if it is no such date.
 */
export function parseHttpDate(text: string): number | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match;
    return toTime(Number(year), month, day, hour, minute, second);
  }
  match = RFC_850.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match;
    return toTime(fullYear(Number(year)), month, day, hour, minute, second);
  }
  match = ASCTIME.exec(text);
  if (match === null) return undefined;
  const [, month, day, hour, minute, second, year] = match;
  return toTime(Number(year), month, day, hour, minute, second);
}

/** A year of two digits is never more than 50 years ahead. */
function fullYear(twoDigits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - now % 100 + twoDigits;
  return year > now + 50 ? year - 100 : year;
}

function toTime(
  year: number,
  monthName: string | undefined,
  ...rest: (string | undefined)[]
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? "");
  const [day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number);
  // 60 is a leap second. JavaScript knows none: it becomes the next second.
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // A day that the month does not have has rolled over into another month.
  if (date.getUTCMonth() !== month || day < 1) return undefined;
  return date.setUTCHours(hour, minute, second);
}
