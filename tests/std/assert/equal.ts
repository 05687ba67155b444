/** Whether two values are equal in depth, the way `assertEquals` sees it. */
export function equal(left: unknown, right: unknown): boolean {
  return compare(left, right, new Map());
}

type Pairs = Map<object, object>;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function compare(left: unknown, right: unknown, seen: Pairs): boolean {
  // `===` beside `Object.is`: 0 equals -0, and NaN equals NaN.
  if (left === right || Object.is(left, right)) return true;
  if (!isObject(left) || !isObject(right)) return false;
  if (!sameClass(left, right)) return false;
  if (left instanceof Date && right instanceof Date) {
    return Object.is(left.getTime(), right.getTime());
  }
  if (left instanceof RegExp || left instanceof URL) {
    return String(left) === String(right);
  }
  if (seen.get(left) === right) return true; // a cycle on both sides
  seen.set(left, right);
  if (left instanceof Set && right instanceof Set) {
    return sameMembers([...left], [...right], seen);
  }
  if (left instanceof Map && right instanceof Map) {
    return sameMembers([...left], [...right], seen);
  }
  return sameProperties(left, right, seen);
}

function sameClass(left: object, right: object): boolean {
  return (left.constructor ?? Object) === (right.constructor ?? Object);
}

function sameMembers(
  left: unknown[],
  right: unknown[],
  seen: Pairs,
): boolean {
  if (left.length !== right.length) return false;
  const unmatched = [...right];
  return left.every((member) => {
    const index = unmatched.findIndex((other) => compare(member, other, seen));
    if (index >= 0) unmatched.splice(index, 1);
    return index >= 0;
  });
}

function enumerableKeys(value: object): PropertyKey[] {
  const isEnumerable = Object.prototype.propertyIsEnumerable;
  return Reflect.ownKeys(value).filter((key) => isEnumerable.call(value, key));
}

function sameProperties(left: object, right: object, seen: Pairs): boolean {
  const keys = enumerableKeys(left);
  if (keys.length !== enumerableKeys(right).length) return false;
  return keys.every((key) =>
    Object.prototype.propertyIsEnumerable.call(right, key) &&
    compare(
      (left as Record<PropertyKey, unknown>)[key],
      (right as Record<PropertyKey, unknown>)[key],
      seen,
    )
  );
}
