import type { Serve } from "../serve_types.ts";
import { type EventStream, eventStreamsIn } from "../sse/event_stream.ts";
import { compileRoutes, type RouteTarget } from "./route_table.ts";
import type { Router } from "./router.ts";

/** The handlers of a server at one moment; `reload` makes a new set. */
export interface HandlerSet {
  /** What the routes lead to. */
  readonly router: Router<RouteTarget>;
  /** The event streams that routes lead to. */
  readonly eventStreams: readonly EventStream[];
  /** Answers what no route matched. */
  readonly fetch: Serve.FetchHandler | undefined;
  /** Answers for handlers that failed. */
  readonly error: Serve.ErrorHandler | undefined;
}

/** Handlers as options give them, already validated. */
export interface HandlerOptions {
  readonly routes?: Readonly<Record<string, unknown>> | undefined;
  readonly fetch?: Serve.FetchHandler | undefined;
  readonly error?: Serve.ErrorHandler | undefined;
}

/**
 * Makes the handlers of a new server, or those of a running one after a
 * change: what `options` leaves out stays as it is in `current`.
 *
 * @throws {TypeError} If a route is invalid.
 */
export function compileHandlers(
  options: HandlerOptions,
  current?: HandlerSet,
): HandlerSet {
  const { routes, fetch, error } = options;
  const isKept = routes === undefined && current !== undefined;
  return {
    router: isKept ? current.router : compileRoutes(routes),
    eventStreams: isKept ? current.eventStreams : eventStreamsIn(routes),
    fetch: fetch ?? current?.fetch,
    error: error ?? current?.error,
  };
}
