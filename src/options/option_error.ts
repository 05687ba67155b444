/**
 * Errors of options. Their `code` is the one that Node and Bun give such
 * errors.
 *
 * @module
 */

/** Makes the error for a value of the wrong type: `ERR_INVALID_ARG_TYPE`. */
export function wrongType(
  option: string,
  value: unknown,
  expected: string,
): TypeError {
  return invalidOption(
    `Cannot use ${option} ${describe(value)}: expected ${expected}`,
  );
}

/** As {@linkcode wrongType}, for a secret: the message does not show it. */
export function wrongSecret(
  option: string,
  value: unknown,
  expected: string,
): TypeError {
  return invalidOption(
    `Cannot use ${option} of type ${typeof value}: expected ${expected}`,
  );
}

/** Makes the error for a number out of range: `ERR_OUT_OF_RANGE`. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_OUT_OF_RANGE" });
}

/** Makes a `TypeError` with a message of its own. */
export function invalidOption(
  message: string,
  code: "ERR_INVALID_ARG_TYPE" | "ERR_INVALID_ARG_VALUE" =
    "ERR_INVALID_ARG_TYPE",
): TypeError {
  return Object.assign(new TypeError(message), { code });
}

/** Names a value in a message: short, on one line, whatever it is. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(
        value.length > 64 ? `${value.slice(0, 64)}...` : value,
      );
    case "bigint":
      return `${value}n`;
    case "function":
      return "(a function)";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? "(an array)" : "(an object)";
    default:
      return String(value);
  }
}
