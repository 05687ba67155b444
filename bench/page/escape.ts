/**
 * Puts text into HTML so that it stays text.
 *
 * @module
 */

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text between tags, or in an attribute with double quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character]!);
}

/** A value as JSON inside of a script element. */
export function scriptData(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/**
 * A program inside of a script element.
 *
 * @throws {Error} If it would end the element too early.
 */
export function scriptText(program: string): string {
  if (!/<\/script|<!--/i.test(program)) return program;
  throw new Error("Cannot put this program into a page: it has script tags");
}
