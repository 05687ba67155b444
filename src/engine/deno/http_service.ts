import type {
  Answer,
  HttpHandler,
  HttpListenPlan,
  HttpMetrics,
} from "../engine.ts";
import { DenoExchange, type HandlerInfo } from "./exchange.ts";
import { HttpCounts } from "./http_counts.ts";
import { IdleSweep } from "./idle_sweep.ts";
import { OperationRoutes } from "./operation_routes.ts";
import { limitContent } from "./request_content.ts";
import { IdleTimeoutError, toResponse } from "./response.ts";
import { WebSocketPool } from "./web_socket_pool.ts";

/** What a service needs to know of a plan to listen. */
export type ServicePlan = Omit<HttpListenPlan, "address" | "tls" | "limits">;

/** Answers the requests that `Deno.serve`, or a platform like it, hands over. */
export class DenoHttpService {
  readonly #plan: ServicePlan;
  readonly #handler: HttpHandler;
  /** The WebSockets that began here. */
  readonly webSockets: WebSocketPool;
  readonly #sweep: IdleSweep = new IdleSweep();
  readonly #counts: HttpCounts = new HttpCounts();
  readonly #onEnd: () => void = () => this.#counts.pending--;
  readonly #operations: OperationRoutes | undefined;
  #isRefusing = false;

  constructor(plan: ServicePlan, handler: HttpHandler) {
    this.#plan = plan;
    this.#handler = handler;
    this.webSockets = new WebSocketPool(this.#sweep);
    if (plan.health !== undefined || plan.metricsRoute !== undefined) {
      this.#operations = new OperationRoutes(plan, () => this.metrics());
    }
  }

  /** Requests whose response is not complete. */
  get pendingRequests(): number {
    return this.#counts.pending;
  }

  /** What was counted until now. */
  metrics(): HttpMetrics {
    return this.#counts.toMetrics();
  }

  /** A handler for `Deno.serve`. */
  serve(request: Request, info: HandlerInfo): Response | Promise<Response> {
    const counts = this.#counts;
    counts.requests++;
    if (this.#isRefusing) return counts.response(refuse(503));
    const { idleTimeout, maxPendingRequests } = this.#plan;
    const exchange = new DenoExchange(
      request,
      info,
      this.webSockets,
      idleTimeout,
      this.#onEnd,
    );
    counts.pending++;
    const own = this.#operations?.answer(exchange.path);
    if (own !== undefined) return counts.response(toResponse(own, exchange));
    if (counts.waiting >= maxPendingRequests) {
      counts.shed++;
      return counts.response(toResponse(shed(), exchange));
    }
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      const refusal = this.#limitContent(exchange);
      if (refusal !== undefined) {
        return counts.response(toResponse(refusal, exchange));
      }
    }
    const answer = this.#handler(request, exchange);
    if (exchange.early !== undefined) {
      discard(answer);
      return counts.response(exchange.early);
    }
    return answer instanceof Promise
      ? waitFor(answer, exchange, counts)
      : counts.response(toResponse(answer, exchange));
  }

  /** Answers 503 from now on. */
  refuseAll(): void {
    this.#isRefusing = true;
    this.webSockets.stop();
  }

  /** Ends all WebSockets; nobody else is served meanwhile. */
  endWebSockets(): Promise<void> {
    this.refuseAll();
    return this.webSockets.end();
  }

  /** Cuts every request that is not complete. */
  cutAll(): void {
    this.#sweep.expireAll();
  }

  /** Releases the timer when no more requests will come. */
  close(): void {
    this.#sweep.stop();
  }

  #limitContent(exchange: DenoExchange): Response | undefined {
    const { maxRequestBodySize } = this.#plan;
    try {
      // Deno adds `Connection: close` when content was not read.
      return limitContent(exchange, maxRequestBodySize)
        ? undefined
        : new Response(null, { status: 413 });
    } catch {
      // The target and `Host` make no URL, so there can be no copy.
      return refuse(400);
    }
  }
}

/** The answer, or a refusal if it does not come in time. */
function waitFor(
  answer: Promise<Answer>,
  exchange: DenoExchange,
  counts: HttpCounts,
): Promise<Response> {
  counts.waiting++;
  return new Promise((resolve) => {
    let settled = false;
    const settle = (response: Response) => {
      settled = true;
      counts.waiting--;
      resolve(counts.response(response));
    };
    exchange.onEarly = settle;
    exchange.watch(() => {
      // Deno cannot cut a connection before a head was sent.
      settle(toResponse(refuse(503), exchange));
    });
    answer.then((late) => {
      if (settled) discard(late);
      else settle(toResponse(late, exchange));
    });
  });
}

function discard(answer: Answer | Promise<Answer>): void {
  if (answer instanceof Response) return;
  if (answer instanceof Promise) {
    answer.then(discard);
    return;
  }
  if (answer.kind === "file") answer.file.close();
  else answer.source.cancel(new IdleTimeoutError());
}

/** Too many wait: later there may be fewer. */
function shed(): Response {
  return new Response(null, { status: 503, headers: { "retry-after": "1" } });
}

function refuse(status: number): Response {
  return new Response(null, { status, headers: { connection: "close" } });
}
