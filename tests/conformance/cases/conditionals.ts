import { ask, type ConformanceCase, table } from "../case.ts";

/** When every fixture was modified. */
const MODIFIED = "Wed, 01 Jan 2020 00:00:00 GMT";
const BEFORE = "Tue, 31 Dec 2019 23:59:59 GMT";
const AFTER = "Wed, 01 Jan 2020 00:00:01 GMT";

interface ConditionRow {
  headers: Record<string, string>;
  status: number;
  method?: string;
  bun?: string;
}

const rows: ConditionRow[] = [
  { headers: { "If-Modified-Since": MODIFIED }, status: 304 },
  { headers: { "If-Modified-Since": AFTER }, status: 304 },
  { headers: { "If-Modified-Since": BEFORE }, status: 200 },
  { headers: { "If-Modified-Since": "nonsense" }, status: 200 },
  { headers: { "If-Modified-Since": "" }, status: 200 },
  {
    headers: { "If-Modified-Since": "2020-01-01T00:00:00Z" },
    status: 200,
    bun: "takes dates that are no HTTP dates",
  },
  {
    headers: { "If-Modified-Since": "Wednesday, 01-Jan-20 00:00:00 GMT" },
    status: 304,
  },
  {
    headers: { "If-Modified-Since": "Wed Jan  1 00:00:00 2020" },
    status: 304,
  },
  { headers: { "If-Modified-Since": MODIFIED }, status: 304, method: "HEAD" },
  { headers: { "If-Modified-Since": MODIFIED }, status: 200, method: "POST" },
  { headers: { "If-None-Match": "*" }, status: 304 },
  { headers: { "If-None-Match": '"tag"' }, status: 200 },
  {
    headers: { "If-None-Match": '"tag"', "If-Modified-Since": MODIFIED },
    status: 200,
  },
  { headers: { "If-Unmodified-Since": MODIFIED }, status: 200 },
  { headers: { "If-Unmodified-Since": AFTER }, status: 200 },
  { headers: { "If-Unmodified-Since": BEFORE }, status: 412 },
  { headers: { "If-Unmodified-Since": "nonsense" }, status: 200 },
  { headers: { "If-Match": "*" }, status: 200 },
  { headers: { "If-Match": '"tag"' }, status: 412 },
  {
    headers: { "If-Match": "*", "If-Unmodified-Since": BEFORE },
    status: 200,
  },
  {
    headers: { "If-Unmodified-Since": BEFORE, "If-Modified-Since": MODIFIED },
    status: 412,
  },
];

function show(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join(" + ");
}

export const cases: ConformanceCase[] = [
  ...table(rows, ({ headers, status, method = "GET", bun }) => ({
    name: `${method} with ${show(headers)} is ${status}`,
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: [
      ask(`${method} /`, {
        status,
        headers: status === 412 ? {} : { "last-modified": MODIFIED },
        body: status === 200 ? "0123456789" : /^((?!0123).)*$/s,
      }, { headers }),
      // Whatever the answer was, it left the connection in step.
      ask("GET /", { status: 200, body: "0123456789" }),
    ],
    bun,
  })),
];
