/**
 * Picks the source lines around a stack frame.
 *
 * @module
 */

/** One line of an excerpt; `before + marked + after` is its text. */
export interface ExcerptLine {
  /** Line number, from 1. */
  readonly number: number;
  /** The text up to the frame's column; all of it on the other lines. */
  readonly before: string;
  /** What the frame points at; empty on all lines but the frame's own. */
  readonly marked: string;
  /** The rest of the frame's line. */
  readonly after: string;
}

const LINES_BEFORE = 5;
const LINES_AFTER = 4;
const LONGEST_LINE = 240;

/**
 * The lines around a position, with the position marked. Long lines, such as
 * those of minified modules, are cut around it.
 */
export function excerptLines(
  lines: readonly string[],
  position: { readonly line: number; readonly column: number },
): readonly ExcerptLine[] {
  const from = Math.max(1, position.line - LINES_BEFORE);
  const to = Math.min(lines.length, position.line + LINES_AFTER);
  const excerpt: ExcerptLine[] = [];
  for (let number = from; number <= to; number++) {
    const text = lines[number - 1] ?? "";
    excerpt.push(
      number === position.line
        ? markedLine(number, text, position.column - 1)
        : { number, before: clipEnd(text), marked: "", after: "" },
    );
  }
  return excerpt;
}

function markedLine(number: number, text: string, at: number): ExcerptLine {
  const end = at + lengthOfToken(text.slice(at, at + LONGEST_LINE));
  const before = text.slice(0, at);
  const room = LONGEST_LINE / 2;
  return {
    number,
    before: before.length > room ? `…${before.slice(-room)}` : before,
    // A position past the end of the line still deserves a visible mark.
    marked: text.slice(at, end) || " ",
    after: clipEnd(text.slice(end)),
  };
}

function lengthOfToken(text: string): number {
  const word = /^(?:new |throw |await )?[\p{ID_Continue}$.]+/u.exec(text);
  return word === null ? 1 : word[0].length;
}

function clipEnd(text: string): string {
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text;
}
