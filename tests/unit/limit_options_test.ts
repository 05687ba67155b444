import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DEFAULT_LIMITS,
  limitsOption,
  pendingRequestsOption,
} from "../../src/options/limit_options.ts";
import { operationOptions } from "../../src/options/operation_options.ts";

function assertRefused(
  run: () => unknown,
  code: "ERR_INVALID_ARG_TYPE" | "ERR_OUT_OF_RANGE",
  message: string,
): void {
  const error = assertThrows(run, Error, message) as Error & { code?: string };
  assertEquals(error.code, code);
  assert(
    error instanceof (code === "ERR_OUT_OF_RANGE" ? RangeError : TypeError),
  );
}

Deno.test("limits that are not given are the defaults", () => {
  for (const value of [undefined, null, {}, { headBytes: undefined }]) {
    assertEquals(limitsOption(value), DEFAULT_LIMITS);
  }
  const limits = limitsOption({ headBytes: 2048, connections: null, other: 1 });
  assertEquals(limits, { ...DEFAULT_LIMITS, headBytes: 2048 });
  assert(Object.isFrozen(limits));
});

type Name = keyof typeof DEFAULT_LIMITS;

Deno.test("limits are checked against their range", () => {
  const ranges: [Name, good: number[], bad: number[], expected: string][] = [
    [
      "headBytes",
      [1024, 262_144],
      [1023, 262_145, 2000.5, NaN],
      "an integer from 1024 to 262144 (bytes)",
    ],
    [
      "headerCount",
      [1, 1024],
      [0, 1025, Infinity],
      "an integer from 1 to 1024 (fields)",
    ],
    [
      "targetBytes",
      [1, 65_535],
      [0, 65_536, -1],
      "an integer from 1 to 65535 (bytes)",
    ],
    [
      "connections",
      [1, 262_144],
      [0, 262_145],
      "an integer from 1 to 262144 (connections)",
    ],
    [
      "headTimeout",
      [0, 0.5, 86_400],
      [-1, 86_401, NaN],
      "a number from 0 to 86400 (seconds)",
    ],
    [
      "contentRate",
      [0, 2 ** 32 - 1],
      [-1, 0.5, 2 ** 32],
      "an integer from 0 to 4294967295 (bytes per second)",
    ],
  ];
  for (const [name, good, bad, expected] of ranges) {
    for (const value of good) {
      assertEquals(limitsOption({ [name]: value })[name], value);
    }
    for (const value of bad) {
      assertRefused(
        () => limitsOption({ [name]: value }),
        "ERR_OUT_OF_RANGE",
        `Cannot use limits.${name} ${value}: expected ${expected}`,
      );
    }
    assertRefused(
      () => limitsOption({ [name]: "9" }),
      "ERR_INVALID_ARG_TYPE",
      `Cannot use limits.${name} "9": expected ${expected}`,
    );
  }
  for (const value of [5, "x", true]) {
    assertRefused(
      () => limitsOption(value),
      "ERR_INVALID_ARG_TYPE",
      "expected an object",
    );
  }
});

Deno.test("maxPendingRequests is a positive integer or Infinity", () => {
  const good: [unknown, number][] = [
    [undefined, 10_000],
    [null, 10_000],
    [1, 1],
    [Infinity, 2 ** 32 - 1],
    [2 ** 40, 2 ** 32 - 1],
  ];
  for (const [value, expected] of good) {
    assertEquals(pendingRequestsOption(value), expected);
  }
  for (const value of [0, -1, 1.5, NaN, -Infinity]) {
    assertRefused(
      () => pendingRequestsOption(value),
      "ERR_OUT_OF_RANGE",
      `Cannot use maxPendingRequests ${value}: expected a positive integer or Infinity`,
    );
  }
  for (const value of ["1", true, {}]) {
    assertRefused(
      () => pendingRequestsOption(value),
      "ERR_INVALID_ARG_TYPE",
      "maxPendingRequests",
    );
  }
});

Deno.test("healthRoute is a path, alone or with the time of a stall", () => {
  const good: [unknown, unknown][] = [
    [undefined, undefined],
    [null, undefined],
    ["/healthz", { path: "/healthz", stall: 5 }],
    ["/", { path: "/", stall: 5 }],
    [{ path: "/a/:b/*" }, { path: "/a/:b/*", stall: 5 }],
    [{ path: "/a", stall: null }, { path: "/a", stall: 5 }],
    [{ path: "/a", stall: 0.25 }, { path: "/a", stall: 0.25 }],
  ];
  for (const [healthRoute, expected] of good) {
    assertEquals(operationOptions({ healthRoute }).health, expected);
  }
  for (const path of ["", "healthz", "/a?b", "/a#b", "/a b", "/ü", 5, {}]) {
    assertRefused(
      () => operationOptions({ healthRoute: { path } }),
      "ERR_INVALID_ARG_TYPE",
      "Cannot use healthRoute.path",
    );
    if (typeof path === "object") continue;
    assertRefused(
      () => operationOptions({ healthRoute: path }),
      "ERR_INVALID_ARG_TYPE",
      "Cannot use healthRoute",
    );
  }
  assertRefused(
    () => operationOptions({ healthRoute: {} }),
    "ERR_INVALID_ARG_TYPE",
    "Cannot use healthRoute.path undefined: expected a path",
  );
  for (const stall of [0, -1, 86_401, NaN, Infinity]) {
    assertRefused(
      () => operationOptions({ healthRoute: { path: "/", stall } }),
      "ERR_OUT_OF_RANGE",
      `Cannot use healthRoute.stall ${stall}: expected a positive number`,
    );
  }
});

Deno.test("metricsRoute is a path that healthRoute does not have", () => {
  assertEquals(operationOptions({}).metricsRoute, undefined);
  assertEquals(
    operationOptions({ metricsRoute: null }).metricsRoute,
    undefined,
  );
  assertEquals(operationOptions({ metricsRoute: "/m" }).metricsRoute, "/m");
  for (const metricsRoute of ["m", "", "/m?", 5, {}, () => {}]) {
    assertRefused(
      () => operationOptions({ metricsRoute }),
      "ERR_INVALID_ARG_TYPE",
      "Cannot use metricsRoute",
    );
  }
  assertRefused(
    () => operationOptions({ healthRoute: "/a", metricsRoute: "/a" }),
    "ERR_INVALID_ARG_TYPE",
    'Cannot use metricsRoute "/a": healthRoute has the same path',
  );
});
