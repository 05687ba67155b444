import type { Serve } from "../serve_types.ts";
import { invalidOption, wrongType } from "./option_error.ts";

/** What answers requests; absent members were not given. */
export interface HandlerPlan {
  /** Routes by pattern, not looked at yet. */
  readonly routes: Readonly<Record<string, unknown>> | undefined;
  /** Answers what no route matched. */
  readonly fetch: Serve.FetchHandler | undefined;
  /** Answers for handlers that failed. */
  readonly error: Serve.ErrorHandler | undefined;
}

/**
 * Checks that options are an object. A function may carry them as properties,
 * as a class does.
 *
 * @throws {TypeError} If they are something else.
 */
export function optionsRecord(
  options: unknown,
): Readonly<Record<string, unknown>> {
  const isObject = typeof options === "object" && options !== null;
  if (isObject || typeof options === "function") {
    return options as Readonly<Record<string, unknown>>;
  }
  throw wrongType("options", options, "an object");
}

/**
 * Resolves `routes` (or its older name `static`), `fetch` and `error`.
 *
 * @throws {TypeError} If one has the wrong type.
 */
export function handlerOptions(
  options: Readonly<Record<string, unknown>>,
): HandlerPlan {
  const { routes, static: olderRoutes, fetch, error } = options;
  return {
    routes: routes === undefined
      ? routesOption("static", olderRoutes)
      : routesOption("routes", routes),
    fetch: functionOption<Serve.FetchHandler>("fetch", fetch),
    error: functionOption<Serve.ErrorHandler>("error", error),
  };
}

/**
 * Checks that there is something that can answer.
 *
 * @throws {TypeError} If there is neither `fetch` nor a route.
 */
export function requireHandler({ routes, fetch }: HandlerPlan): void {
  if (fetch !== undefined) return;
  if (Object.values(routes ?? {}).some((route) => route !== false)) return;
  throw invalidOption(
    "Cannot serve without a handler: expected fetch or at least one route in routes",
  );
}

function routesOption(
  option: string,
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined;
  // Published routers pass themselves as options, and list their own routes
  // under this name.
  if (Array.isArray(value)) return undefined;
  if (typeof value === "object" && value !== null) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw wrongType(option, value, "an object of routes by path");
}

function functionOption<Handler>(
  option: string,
  value: unknown,
): Handler | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "function") return value as Handler;
  throw wrongType(option, value, "a function");
}
