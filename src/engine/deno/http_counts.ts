import type { HttpMetrics } from "../engine.ts";

/** Counts what passes through JavaScript; the platform shows nothing else. */
export class HttpCounts {
  /** Requests that the platform handed over. */
  requests = 0;
  /** Those answered 503 because too many were waiting. */
  shed = 0;
  /** Requests whose response is not complete. */
  pending = 0;
  /** Requests whose handler has not answered. */
  waiting = 0;
  /** Responses by status; a field for each, so that counting is an addition. */
  readonly #statuses: number[] = new Array(600).fill(0);

  /** Counts a response on its way to the platform, and hands it back. */
  response(response: Response): Response {
    this.#statuses[response.status]!++;
    return response;
  }

  /** Everything counted until now. */
  toMetrics(): HttpMetrics {
    const counted = this.#statuses.entries().filter(([, count]) => count > 0);
    return {
      connections: undefined,
      connectionsTotal: undefined,
      connectionsRefused: undefined,
      requests: this.requests,
      requestsNative: 0,
      requestsShed: this.shed,
      pendingRequests: this.pending,
      queuedRequests: this.waiting,
      bytesRead: undefined,
      bytesWritten: undefined,
      timeouts: undefined,
      stalls: undefined,
      statuses: Object.fromEntries(counted),
    };
  }
}
