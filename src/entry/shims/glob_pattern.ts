/**
 * Matches paths with glob patterns, in time proportional to the product of the
 * lengths of path and pattern: there are no regular expressions here that a
 * hostile path could keep busy.
 *
 * @module
 */

/** What one character of a pattern stands for. */
type Token =
  | { readonly kind: "literal"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "star" }
  | { readonly kind: "class"; readonly class: CharacterClass };

interface CharacterClass {
  readonly negated: boolean;
  /** First and last character of each range. */
  readonly ranges: readonly (readonly [string, string])[];
}

/** One segment between slashes; `globstar` is a whole `**`. */
type Segment = "globstar" | readonly Token[];

const MOST_ALTERNATIVES = 4096;

/** A compiled pattern. */
export class GlobPattern {
  readonly #negated: boolean;
  readonly #alternatives: readonly (readonly Segment[])[];

  /**
   * Compiles a pattern.
   *
   * @throws {RangeError} If its braces stand for more than 4096 patterns.
   */
  constructor(pattern: string) {
    const marks = /^!*/.exec(pattern)![0].length;
    this.#negated = marks % 2 === 1;
    this.#alternatives = expandBraces(pattern.slice(marks)).map((text) =>
      splitUnescaped(text).map(parseSegment)
    );
  }

  /** Whether a path matches. */
  matches(path: string): boolean {
    const segments = path.split("/").map((text) => [...text]);
    const found = this.#alternatives.some((pattern) =>
      matchSegments(pattern, segments)
    );
    return found !== this.#negated;
  }

  /** How many segments a matching path can have; may be Infinity. */
  get depth(): number {
    if (this.#negated) return Infinity;
    const depths = this.#alternatives.map((pattern) =>
      pattern.includes("globstar") ? Infinity : pattern.length
    );
    return Math.max(...depths);
  }

  /** Whether the pattern itself names something that begins with a dot. */
  get namesHidden(): boolean {
    return this.#alternatives.some((pattern) =>
      pattern.some((segment) => {
        const first = segment === "globstar" ? undefined : segment[0];
        return first?.kind === "literal" && first.character === ".";
      })
    );
  }
}

function matchSegments(
  pattern: readonly Segment[],
  path: readonly (readonly string[])[],
): boolean {
  return matchWithBacktracking(
    pattern.length,
    path.length,
    (at) => pattern[at] === "globstar",
    (at, position) =>
      matchTokens(pattern[at] as readonly Token[], path[position]!),
    // `a/**` means what is below `a`, not `a`.
    (at) => at === pattern.length - 1,
  );
}

function matchTokens(
  tokens: readonly Token[],
  text: readonly string[],
): boolean {
  return matchWithBacktracking(
    tokens.length,
    text.length,
    (at) => tokens[at]!.kind === "star",
    (at, position) => matchToken(tokens[at]!, text[position]!),
    () => false,
  );
}

/**
 * Matches a sequence with wildcards for any number of elements. Only the last
 * wildcard ever needs to be tried again, because whatever an earlier one could
 * take the last one can take as well.
 */
function matchWithBacktracking(
  patternLength: number,
  length: number,
  isWildcard: (at: number) => boolean,
  matchesOne: (at: number, position: number) => boolean,
  takesAtLeastOne: (at: number) => boolean,
): boolean {
  let at = 0;
  let position = 0;
  let retryAt = -1;
  let retryPosition = 0;
  while (position < length || at < patternLength) {
    if (at < patternLength && isWildcard(at)) {
      const from = position + (takesAtLeastOne(at) ? 1 : 0);
      if (from > length) return false;
      retryAt = at + 1;
      retryPosition = from;
      position = from;
      at++;
    } else if (
      at < patternLength && position < length && matchesOne(at, position)
    ) {
      at++;
      position++;
    } else if (retryAt !== -1 && retryPosition < length) {
      retryPosition++;
      at = retryAt;
      position = retryPosition;
    } else {
      return false;
    }
  }
  return true;
}

function matchToken(token: Token, character: string): boolean {
  switch (token.kind) {
    case "literal":
      return token.character === character;
    case "class":
      return inClass(token.class, character);
    default:
      return true;
  }
}

function inClass(
  { negated, ranges }: CharacterClass,
  character: string,
): boolean {
  const code = character.codePointAt(0)!;
  const found = ranges.some(([first, last]) =>
    first.codePointAt(0)! <= code && code <= last.codePointAt(0)!
  );
  return found !== negated;
}

function parseSegment(text: string): Segment {
  if (text === "**") return "globstar";
  const characters = [...text];
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at]!;
    const found = character === "[" ? parseClass(characters, at) : undefined;
    if (found !== undefined) {
      tokens.push({ kind: "class", class: found.class });
      at = found.end;
      continue;
    }
    if (character === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
    } else if (character === "?") {
      tokens.push({ kind: "any" });
    } else {
      const escaped = character === "\\" && at + 1 < characters.length;
      if (escaped) at++;
      tokens.push({ kind: "literal", character: characters[at]! });
    }
    at++;
  }
  return tokens;
}

/** Parses `[a-z]` from its bracket; undefined if it is never closed. */
function parseClass(
  characters: readonly string[],
  open: number,
): { class: CharacterClass; end: number } | undefined {
  let at = open + 1;
  const negated = characters[at] === "!" || characters[at] === "^";
  if (negated) at++;
  const ranges: [string, string][] = [];
  const start = at;
  while (at < characters.length) {
    // A bracket in the first place stands for itself.
    if (characters[at] === "]" && at > start) {
      return { class: { negated, ranges }, end: at + 1 };
    }
    const first = characterAt(characters, at);
    at = first.end;
    const isRange = characters[at] === "-" &&
      at + 1 < characters.length && characters[at + 1] !== "]";
    const last = isRange ? characterAt(characters, at + 1) : first;
    at = last.end;
    ranges.push([first.character, last.character]);
  }
  return undefined;
}

function characterAt(
  characters: readonly string[],
  at: number,
): { character: string; end: number } {
  const escaped = characters[at] === "\\" && at + 1 < characters.length;
  const index = escaped ? at + 1 : at;
  return { character: characters[index]!, end: index + 1 };
}

function splitUnescaped(pattern: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "/") {
      parts.push(pattern.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, pattern.slice(start)];
}

/** Replaces `{a,b}` by its alternatives, inner braces included. */
function expandBraces(pattern: string): readonly string[] {
  const waiting = [{ text: pattern, from: 0 }];
  const expanded: string[] = [];
  while (waiting.length > 0) {
    const { text, from } = waiting.pop()!;
    const brace = findBrace(text, from);
    if (brace === undefined) {
      expanded.push(text);
    } else {
      const head = text.slice(0, brace.start);
      const tail = text.slice(brace.end);
      for (const choice of brace.choices) {
        waiting.push({ text: head + choice + tail, from: brace.start });
      }
    }
    if (expanded.length + waiting.length > MOST_ALTERNATIVES) {
      throw new RangeError(
        `Cannot use glob pattern "${pattern.slice(0, 100)}": ` +
          `its braces stand for more than ${MOST_ALTERNATIVES} patterns`,
      );
    }
  }
  return expanded;
}

interface Brace {
  readonly start: number;
  /** Where the choices end: at each comma and at the closing brace. */
  readonly ends: number[];
}

/** The first brace that is closed, found in one pass. */
function findBrace(
  text: string,
  from: number,
): { start: number; end: number; choices: string[] } | undefined {
  const open: Brace[] = [];
  let first: Brace | undefined;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === "{") open.push({ start: at, ends: [] });
    else if (character === ",") open.at(-1)?.ends.push(at);
    else if (character === "}") {
      const closed = open.pop();
      closed?.ends.push(at);
      if (closed && closed.start < (first?.start ?? Infinity)) first = closed;
    }
    if (first !== undefined && open.length === 0) break;
  }
  if (first === undefined) return undefined;
  const { start, ends } = first;
  const choices = ends.map((end, index) =>
    text.slice((ends[index - 1] ?? start) + 1, end)
  );
  return { start, end: ends.at(-1)! + 1, choices };
}
