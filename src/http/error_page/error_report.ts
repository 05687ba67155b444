/**
 * Turns whatever was thrown into plain text facts.
 *
 * Anything can be thrown: a proxy that throws, an object whose getters throw,
 * a chain of causes that bites its tail, a message of a gigabyte. Nothing in
 * this file throws, and what it returns has a bounded size.
 *
 * @module
 */

import { inspect } from "node:util";
import { isNativeError } from "node:util/types";
import { parseStackTrace, type StackFrame } from "./stack_frames.ts";

/** What is known about one thrown value; only strings and numbers. */
export interface ErrorReport {
  /** Whether it is an error rather than some other value. */
  readonly isError: boolean;
  /** The error's name, or the type of a value that is no error. */
  readonly name: string;
  /** The message, or a rendering of a value that is no error. */
  readonly message: string;
  /** The error's code, such as `ENOENT`; empty when there is none. */
  readonly code: string;
  /** The stack, innermost call first. */
  readonly frames: readonly StackFrame[];
  /** Whether source files named in `frames` may be shown. */
  readonly framesReliable: boolean;
  /** How this error relates to the one before: "Caused by" and the like. */
  readonly relation: string;
}

const MOST_REPORTS = 10;
const LONGEST_NAME = 200;
const LONGEST_MESSAGE = 8 * 1024;
const LONGEST_STACK = 256 * 1024;

/**
 * Describes a thrown value, then its causes, then the members of aggregates:
 * at most ten in all, each value once.
 */
export function reportError(error: unknown): readonly ErrorReport[] {
  const reports: ErrorReport[] = [];
  const seen = new Set<unknown>();
  const waiting: { value: unknown; relation: string }[] = [
    { value: error, relation: "" },
  ];
  while (waiting.length > 0 && reports.length < MOST_REPORTS) {
    const { value, relation } = waiting.shift()!;
    if (seen.has(value)) continue;
    seen.add(value);
    reports.push(describe(value, relation));
    for (const next of related(value)) waiting.push(next);
  }
  return reports;
}

function describe(value: unknown, relation: string): ErrorReport {
  const stack = property(value, "stack");
  if (!looksLikeError(value) && typeof stack !== "string") {
    return {
      isError: false,
      name: `Thrown ${kindOf(value)}`,
      message: clip(render(value), LONGEST_MESSAGE),
      code: "",
      frames: [],
      framesReliable: false,
      relation,
    };
  }
  const message = textOf(property(value, "message"));
  const trace = parseStackTrace(stackAfter(textOf(stack), message), message);
  return {
    isError: true,
    name: clip(textOf(property(value, "name")) || "Error", LONGEST_NAME),
    message: clip(message, LONGEST_MESSAGE),
    code: clip(codeOf(value), LONGEST_NAME),
    frames: trace.frames,
    // Objects parsed from a request can carry a "stack"; real errors get theirs
    // from the runtime.
    framesReliable: trace.reliable && looksLikeError(value),
    relation,
  };
}

/** Bounds the work on a stack without losing the frames behind a long message. */
function stackAfter(stack: string, message: string): string {
  return stack.slice(0, message.length + LONGEST_STACK);
}

function related(value: unknown): { value: unknown; relation: string }[] {
  const found: { value: unknown; relation: string }[] = [];
  const cause = property(value, "cause");
  if (cause !== undefined) found.push({ value: cause, relation: "Caused by" });
  const members = property(value, "errors");
  if (!isArray(members)) return found;
  for (let index = 0; index < MOST_REPORTS; index++) {
    const member = property(members, String(index));
    if (member === undefined) break;
    found.push({ value: member, relation: `Error ${index + 1} of several` });
  }
  return found;
}

/** Reads a property of anything; undefined when that throws or makes no sense. */
function property(value: unknown, name: string): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object" && typeof value !== "function") {
    return undefined;
  }
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function looksLikeError(value: unknown): boolean {
  return isNativeError(value) ||
    // A DOMException is an error in every respect but this brand.
    isInstance(value, DOMException);
}

function isInstance(value: unknown, type: typeof DOMException): boolean {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return isArray(value) ? "array" : typeof value;
}

function codeOf(value: unknown): string {
  const code = property(value, "code");
  if (typeof code === "string") return code;
  // Old DOMException numbers say nothing that the name does not say better.
  return typeof code === "number" && code !== 0 && isNativeError(value)
    ? String(code)
    : "";
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "" : render(value);
}

function render(value: unknown): string {
  try {
    return inspect(value, {
      // Code of the thrown value is not run: it may throw, hang or lie.
      customInspect: false,
      getters: false,
      depth: 2,
      maxArrayLength: 20,
      maxStringLength: 2000,
    });
  } catch {
    return "(a value that cannot be shown)";
  }
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
