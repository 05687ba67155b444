import type { Answer, HttpHandler, HttpListenPlan } from "../engine.ts";
import { DenoExchange, type HandlerInfo } from "./exchange.ts";
import { IdleSweep } from "./idle_sweep.ts";
import { limitContent } from "./request_content.ts";
import { IdleTimeoutError, toResponse } from "./response.ts";
import { WebSocketPool } from "./web_socket_pool.ts";

/** What a service needs to know; a plan to listen has it. */
export type ServiceLimits = Pick<
  HttpListenPlan,
  "maxRequestBodySize" | "idleTimeout"
>;

/** Answers the requests that `Deno.serve`, or a platform like it, hands over. */
export class DenoHttpService {
  readonly #limits: ServiceLimits;
  readonly #handler: HttpHandler;
  /** The WebSockets that began here. */
  readonly webSockets: WebSocketPool;
  readonly #sweep: IdleSweep = new IdleSweep();
  readonly #onEnd: () => void = () => this.#pendingRequests--;
  #pendingRequests = 0;
  #isRefusing = false;

  constructor(limits: ServiceLimits, handler: HttpHandler) {
    this.#limits = limits;
    this.#handler = handler;
    this.webSockets = new WebSocketPool(this.#sweep);
  }

  /** Requests whose response is not complete. */
  get pendingRequests(): number {
    return this.#pendingRequests;
  }

  /** A handler for `Deno.serve`. */
  serve(request: Request, info: HandlerInfo): Response | Promise<Response> {
    if (this.#isRefusing) return refuse(503);
    const { idleTimeout } = this.#limits;
    const exchange = new DenoExchange(
      request,
      info,
      this.webSockets,
      idleTimeout,
      this.#onEnd,
    );
    this.#pendingRequests++;
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      const refusal = this.#limitContent(exchange);
      if (refusal !== undefined) return toResponse(refusal, exchange);
    }
    const answer = this.#handler(request, exchange);
    if (exchange.early !== undefined) {
      discard(answer);
      return exchange.early;
    }
    return answer instanceof Promise
      ? waitFor(answer, exchange)
      : toResponse(answer, exchange);
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
    const { maxRequestBodySize } = this.#limits;
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
): Promise<Response> {
  return new Promise((resolve) => {
    let settled = false;
    exchange.onEarly = (early) => {
      settled = true;
      resolve(early);
    };
    exchange.watch(() => {
      settled = true;
      // Deno cannot cut a connection before a head was sent.
      resolve(toResponse(refuse(503), exchange));
    });
    answer.then((late) => {
      if (settled) discard(late);
      else resolve(toResponse(late, exchange));
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

function refuse(status: number): Response {
  return new Response(null, { status, headers: { connection: "close" } });
}
