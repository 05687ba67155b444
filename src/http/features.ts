import type { Engine, HttpLimits } from "../engine/engine.ts";
import { DEFAULT_LIMITS } from "../options/limit_options.ts";

/** Warns about limits that an engine with its own does not take. */
export function warnOfIgnoredLimits(
  limits: HttpLimits,
  { name, features }: Engine,
): void {
  if (features.limits) return;
  const names = Object.keys(limits) as (keyof HttpLimits)[];
  const ignored = names.filter((one) => limits[one] !== DEFAULT_LIMITS[one]);
  if (ignored.length === 0) return;
  console.warn(
    `The ${name} engine has its own limits: ${ignored.join(", ")} in limits ${
      ignored.length === 1 ? "has" : "have"
    } no effect`,
  );
}
