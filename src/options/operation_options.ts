/**
 * Routes for those who operate a server: `healthRoute` and `metricsRoute`.
 *
 * @module
 */

import type { HealthPlan } from "../engine/engine.ts";
import { isPlainPath } from "../runtime/request_target.ts";
import { durationOption } from "./limit_options.ts";
import { invalidOption, wrongType } from "./option_error.ts";

const DEFAULT_STALL = 5;

/** Where the server answers about itself. */
export interface OperationPlan {
  /** Answers whether JavaScript runs. */
  readonly health: HealthPlan | undefined;
  /** Exact path that answers metrics. */
  readonly metricsRoute: string | undefined;
}

/**
 * Resolves `healthRoute` and `metricsRoute`; null is absent.
 *
 * @throws {TypeError} If one is no path, or both are the same.
 * @throws {RangeError} If the time of a stall is out of range.
 */
export function operationOptions(
  options: Readonly<Record<string, unknown>>,
): OperationPlan {
  const health = healthOption(options.healthRoute);
  const metricsRoute = pathOption("metricsRoute", options.metricsRoute);
  if (health !== undefined && health.path === metricsRoute) {
    throw invalidOption(
      `Cannot use metricsRoute "${metricsRoute}": healthRoute has the same path`,
    );
  }
  return { health, metricsRoute };
}

function healthOption(value: unknown): HealthPlan | undefined {
  if (typeof value !== "object" || value === null) {
    const path = pathOption("healthRoute", value);
    return path === undefined
      ? undefined
      : Object.freeze<HealthPlan>({ path, stall: DEFAULT_STALL });
  }
  const { path: given, stall } = value as Readonly<Record<string, unknown>>;
  const path = pathOption("healthRoute.path", given);
  if (path === undefined) throw notPath("healthRoute.path", given);
  return Object.freeze<HealthPlan>({
    path,
    stall: stall === undefined || stall === null
      ? DEFAULT_STALL
      : durationOption("healthRoute.stall", stall),
  });
}

function pathOption(option: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && isPlainPath(value)) return value;
  throw notPath(option, value);
}

function notPath(option: string, value: unknown): TypeError {
  return wrongType(
    option,
    value,
    'a path that begins with "/", of visible ASCII characters, without a query',
  );
}
