/**
 * Takes V8 stack traces apart.
 *
 * @module
 */

/** One line of a stack trace. */
export interface StackFrame {
  /** The function, as V8 names it: `async load`, `new Store`; may be empty. */
  readonly call: string;
  /** The module URL or any other place V8 printed; may be empty. */
  readonly module: string;
  /** Line number, from 1; 0 when unknown. */
  readonly line: number;
  /** Column in UTF-16 units, from 1; 0 when unknown. */
  readonly column: number;
}

/** The frames of a stack trace, and whether they can be taken at face value. */
export interface StackTrace {
  /** Innermost call first. */
  readonly frames: readonly StackFrame[];
  /**
   * False when the error's message could not be told from the frames, so that
   * some of these may be lines of the message that only look like frames.
   */
  readonly reliable: boolean;
}

const MOST_FRAMES = 50;
const LONGEST_LINE = 2000;
const FRAME_START = /^\s+at /;
const CLASS_NAME = /^[\w$.]{0,100}$/;

/**
 * Parses the `stack` of an error.
 *
 * A message may contain lines that imitate frames, and messages often repeat
 * what a client sent. V8 prints the message first, so it is cut off first.
 *
 * @param stack The text of `error.stack`.
 * @param message The error's message, as it is now.
 */
export function parseStackTrace(stack: string, message: string): StackTrace {
  const { rest, reliable } = withoutMessage(stack, message);
  const frames: StackFrame[] = [];
  let start = 0;
  while (start < rest.length && frames.length < MOST_FRAMES) {
    let end = rest.indexOf("\n", start);
    if (end === -1) end = rest.length;
    const line = rest.slice(start, Math.min(end, start + LONGEST_LINE));
    if (FRAME_START.test(line)) frames.push(parseFrame(line));
    start = end + 1;
  }
  return { frames, reliable };
}

function withoutMessage(
  stack: string,
  message: string,
): { rest: string; reliable: boolean } {
  const firstLineEnd = stack.indexOf("\n");
  const firstLine = firstLineEnd === -1 ? stack : stack.slice(0, firstLineEnd);
  if (message === "") {
    return {
      rest: stack.slice(firstLine.length + 1),
      reliable: CLASS_NAME.test(firstLine),
    };
  }
  const at = stack.indexOf(message);
  if (at === -1 || !CLASS_NAME.test(stack.slice(0, at).replace(/: $/, ""))) {
    return { rest: stack, reliable: false };
  }
  return { rest: stack.slice(at + message.length + 1), reliable: true };
}

function parseFrame(line: string): StackFrame {
  const text = line.trim().slice("at ".length).trim();
  const evaluated = text.indexOf(" (eval at ");
  if (evaluated !== -1) {
    // The position is one inside the evaluated text, which nobody has kept.
    const module = text.slice(evaluated + 2, -1);
    return { call: text.slice(0, evaluated), module, line: 0, column: 0 };
  }
  const open = text.endsWith(")") ? text.lastIndexOf(" (") : -1;
  if (open !== -1) {
    return parsePlace(text.slice(0, open), text.slice(open + 2, -1));
  }
  const awaited = text.startsWith("async ") ? "async" : "";
  return parsePlace(awaited, text.slice(awaited === "" ? 0 : 6));
}

function parsePlace(call: string, place: string): StackFrame {
  const columnAt = place.lastIndexOf(":");
  const lineAt = place.lastIndexOf(":", columnAt - 1);
  const column = positiveInteger(place.slice(columnAt + 1));
  const line = positiveInteger(place.slice(lineAt + 1, columnAt));
  if (lineAt < 1 || column === 0 || line === 0) {
    return { call, module: place, line: 0, column: 0 };
  }
  return { call, module: place.slice(0, lineAt), line, column };
}

function positiveInteger(text: string): number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
}
