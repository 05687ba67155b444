/**
 * What is known to fail, and why.
 *
 * @module
 */

/** Reasons by pattern of targets and cases. */
const reasons: readonly [RegExp, string][] = [
  [
    /^(native|deno): http2\/3\.5\/2$/,
    "without TLS the port speaks HTTP/1.1 too, where what is no preface is a " +
    "bad request: it is answered with 400, which h2spec takes for a broken " +
    "frame, before the connection is closed",
  ],
  [
    /^deno.*: http2\/(5\.1\/[89]|6\.9\.1\/3)$/,
    "Deno answers before it takes in what is wrong, sometimes",
  ],
];

/** Why a case fails on a target, if that is known. */
export function reasonFor(target: string, name: string): string | undefined {
  return reasons.find(([pattern]) => pattern.test(`${target}: ${name}`))?.[1];
}
