/**
 * Stand-in for `jsr:@std/assert`, so that the tests run without a network: the
 * names that this project uses, and no others.
 *
 * @module
 */

import { equal } from "./equal.ts";

/** What an assertion throws. */
export class AssertionError extends Error {
  /** Makes the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** What JavaScript takes for false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

// deno-lint-ignore no-explicit-any -- a class with any constructor
type ErrorConstructor<E> = abstract new (...parameters: any[]) => E;

function inspect(value: unknown): string {
  return Deno.inspect(value, {
    colors: false,
    depth: 20,
    iterableLimit: 1_000,
    strAbbreviateSize: 10_000,
    sorted: true,
    trailingComma: true,
  });
}

function suffix(message: string | undefined): string {
  return message ? `: ${message}` : ".";
}

/** Fails unless `expression` is truthy. */
export function assert(
  expression: unknown,
  message = "",
): asserts expression {
  if (!expression) throw new AssertionError(message);
}

/** Fails unless `expression` is falsy. */
export function assertFalse(
  expression: unknown,
  message = "",
): asserts expression is Falsy {
  if (expression) throw new AssertionError(message);
}

/** Fails, always. */
export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${suffix(message)}`);
}

/** Fails unless the values are equal in depth. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(message)}\n\n` +
      `actual:   ${inspect(actual)}\nexpected: ${inspect(expected)}\n`,
  );
}

/** Fails if the values are equal in depth. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${inspect(actual)} not to be: ${inspect(expected)}${
      suffix(message)
    }`,
  );
}

/** Fails unless the values are the same by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(message)}\n\n` +
      `actual:   ${inspect(actual)}\nexpected: ${inspect(expected)}\n`,
  );
}

/** Fails if the value is null or undefined. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  if (actual !== null && actual !== undefined) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${
      suffix(message)
    }`,
  );
}

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any -- a class with any constructor
  T extends abstract new (...parameters: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  message = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was ${
      inspect(actual)
    }${suffix(message)}`,
  );
}

/** Fails unless the text matches the regular expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(message)}`,
  );
}

/** Fails unless the text contains the other text. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(message)}`,
  );
}

function checkError(
  error: unknown,
  errorClass: ErrorConstructor<Error> | undefined,
  messageIncludes: string | RegExp | undefined,
  message: string | undefined,
): void {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `Expected "error" to be an Error object${suffix(message)}`,
    );
  }
  if (errorClass && !((error as unknown) instanceof errorClass)) {
    const actual = error.constructor?.name;
    throw new AssertionError(
      `Expected error to be instance of "${errorClass.name}", but was "${actual}"${
        suffix(message)
      }`,
      { cause: error },
    );
  }
  if (!messageIncludes) return;
  const isMatch = typeof messageIncludes === "string"
    ? error.message.includes(messageIncludes)
    : messageIncludes.test(error.message);
  if (isMatch) return;
  throw new AssertionError(
    `Expected error message to include ${inspect(messageIncludes)}, but got ${
      inspect(error.message)
    }${suffix(message)}`,
    { cause: error },
  );
}

/** Fails unless the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
/** Fails unless the function throws such an error; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorConstructor<E>,
  messageIncludes?: string | RegExp,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMessage?: ErrorConstructor<Error> | string,
  messageIncludes?: string | RegExp,
  message?: string,
): unknown {
  const errorClass = typeof classOrMessage === "string"
    ? undefined
    : classOrMessage;
  if (typeof classOrMessage === "string") message = classOrMessage;
  try {
    fn();
  } catch (error) {
    if (errorClass) checkError(error, errorClass, messageIncludes, message);
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(message)}`);
}

/** Fails unless the function's promise rejects; resolves to the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>;
/** Fails unless the promise rejects with such an error; resolves to it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorConstructor<E>,
  messageIncludes?: string | RegExp,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: ErrorConstructor<Error> | string,
  messageIncludes?: string | RegExp,
  message?: string,
): Promise<unknown> {
  const errorClass = typeof classOrMessage === "string"
    ? undefined
    : classOrMessage;
  if (typeof classOrMessage === "string") message = classOrMessage;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(message)}`,
      { cause: error },
    );
  }
  if (typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(message)}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    if (errorClass) checkError(error, errorClass, messageIncludes, message);
    return error;
  }
  throw new AssertionError(`Expected function to reject${suffix(message)}`);
}
