/**
 * Reading of field lines; free of runtime globals, since cases use it too.
 *
 * @module
 */

/** All values of a field, in wire order; the lines have lower-case names. */
export function valuesOf(
  headers: readonly (readonly [string, string])[],
  name: string,
): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([each]) => each === wanted).map(([, value]) => value);
}
