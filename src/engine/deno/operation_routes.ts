import type { HealthPlan, HttpListenPlan, HttpMetrics } from "../engine.ts";
import { METRICS_TYPE, metricsText } from "../metrics_text.ts";

/** Where a server answers about itself, whatever its routes are. */
export class OperationRoutes {
  readonly #health: HealthPlan | undefined;
  readonly #metricsRoute: string | undefined;
  readonly #metrics: () => HttpMetrics;

  /** @param metrics What is counted when somebody asks. */
  constructor(
    { health, metricsRoute }: Pick<HttpListenPlan, "health" | "metricsRoute">,
    metrics: () => HttpMetrics,
  ) {
    this.#health = health;
    this.#metricsRoute = metricsRoute;
    this.#metrics = metrics;
  }

  /** The answer for a path, if it is one of these. */
  answer(path: string | undefined): Response | undefined {
    if (path === undefined) return undefined;
    // Whoever gets this answer knows that JavaScript runs.
    if (path === this.#health?.path) return text("ok\n", "text/plain");
    return path === this.#metricsRoute
      ? text(metricsText(this.#metrics()), METRICS_TYPE)
      : undefined;
  }
}

function text(content: string, type: string): Response {
  return new Response(content, {
    headers: { "cache-control": "no-store", "content-type": type },
  });
}
