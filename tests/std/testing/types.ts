/**
 * Stand-in for `jsr:@std/testing/types`, so that the tests run without a
 * network: the names that this project uses, and no others.
 *
 * @module
 */

/**
 * Fails to compile unless `T` is the literal that is passed.
 *
 * @param _expected What the type evaluates to.
 */
export function assertType<T extends boolean>(_expected: T): void {}

/** Fails to compile unless `T` is `true`. */
export type AssertTrue<T extends true> = [T] extends [true] ? never : never;

/** Fails to compile unless `T` is `false`. */
export type AssertFalse<T extends false> = [T] extends [false] ? never : never;

/** Whether `T` is `any`. */
export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Whether `T` is `never`. */
export type IsNever<T> = [T] extends [never] ? true : false;

/**
 * Whether `T` and `U` accept exactly the same values. An intersection equals
 * the object type with the same members; `any` equals only `any`, also inside.
 */
export type IsExact<T, U> = SameValues<T, U> extends true
  ? SameValues<WithoutAny<T>, WithoutAny<U>>
  : false;

type SameValues<T, U> = [T] extends [U] ? [U] extends [T] ? true : false
  : false;

declare const anyMark: unique symbol;

// `any` is assignable both ways to everything, so it is replaced by something
// that is not before types are compared.
type WithoutAny<T> = IsAny<T> extends true ? { [anyMark]: true }
  : T extends (...parameters: never[]) => unknown ? T
  : { [Key in keyof T]: WithoutAny<T[Key]> };
