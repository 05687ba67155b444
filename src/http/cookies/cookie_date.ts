/**
 * Dates of the `Expires` attribute, as user agents read them.
 *
 * @module
 */

const MONTHS = [
  "jan",
  "feb",
  "mar",
  "apr",
  "may",
  "jun",
  "jul",
  "aug",
  "sep",
  "oct",
  "nov",
  "dec",
];
// Tokens are bounded, so that no text makes these expressions slow.
const TOKEN = /[0-9A-Za-z:]{1,32}/g;
const TIME = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?![0-9:])/;
const DAY = /^\d{1,2}(?!\d)/;
const YEAR = /^\d{2,4}(?!\d)/;

/**
 * Reads a cookie date by the algorithm of RFC 6265, section 5.1.1, which takes
 * every form that servers have ever sent and no arbitrary text.
 *
 * @returns Milliseconds since the epoch, or undefined if it is no date.
 */
export function parseCookieDate(text: string): number | undefined {
  let time: number[] | undefined;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const [token] of text.slice(0, 256).matchAll(TOKEN)) {
    const clock = time === undefined ? TIME.exec(token) : null;
    if (clock) {
      time = clock.slice(1).map(Number);
    } else if (day === undefined && DAY.test(token)) {
      day = parseInt(token);
    } else if (month === undefined && monthOf(token) >= 0) {
      month = monthOf(token);
    } else if (year === undefined && YEAR.test(token)) {
      year = fullYear(parseInt(token));
    }
  }
  if (time === undefined || day === undefined) return undefined;
  if (month === undefined || year === undefined) return undefined;
  const [hour, minute, second] = time as [number, number, number];
  if (year < 1601 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, month, day, hour, minute, second));
  // A day that the month does not have moves the date into the next month.
  return date.getUTCMonth() === month && day > 0 ? date.getTime() : undefined;
}

function monthOf(token: string): number {
  return MONTHS.indexOf(token.slice(0, 3).toLowerCase());
}

function fullYear(year: number): number {
  if (year >= 70 && year <= 99) return 1900 + year;
  return year <= 69 ? 2000 + year : year;
}
