import type { Answer, Exchange, HttpHandler } from "../engine/engine.ts";
import type { OpenFile } from "../engine/engine.ts";
import type { RouteHandler } from "../serve_types.ts";
import type { Server } from "../server.ts";
import { EventStream } from "../sse/event_stream.ts";
import type { EventStreams } from "../sse/event_streams.ts";
import { sendCookies, toAnswer } from "./answer.ts";
import { answerDirectory } from "./files/directory.ts";
import { errorPage, productionError } from "./error_page/error_page.ts";
import { answerFileRoute } from "./files/file_answer.ts";
import type { HandlerSet } from "./handler_set.ts";
import {
  fetchRequest,
  routeRequest,
  touchedCookies,
} from "./incoming_request.ts";
import type { RouteTarget } from "./route_table.ts";
import type { RouteMatch } from "./router.ts";
import { isThenable } from "./thenable.ts";

// On Deno this global is an accessor, which costs more than what it is used for.
const { Response } = globalThis;

/** What a dispatcher needs besides the handlers. */
export interface DispatchContext {
  /** `this` and the second argument of handlers. */
  readonly server: Server;
  /** Show errors to clients and warn about mistakes. */
  readonly development: boolean;
  /** Opens files for the engine that will send them. */
  readonly openFile: (path: string) => OpenFile;
  /** Answers with event streams. */
  readonly eventStreams: EventStreams;
}

/** One request on its way to an answer. */
interface Call {
  /** The engine's request. */
  readonly source: Request;
  readonly exchange: Exchange;
  /** The handlers when the request arrived: `reload` does not change them. */
  readonly handlers: HandlerSet;
}

type Handler = (
  this: Server,
  request: Request,
  server: Server,
) => HandlerResult | Promise<HandlerResult>;

type HandlerResult = Response | EventStream | void;

/** Decides what is answered: routes first, then `fetch`, then 404. */
export class Dispatcher {
  /** The handlers for requests from now on. */
  handlers: HandlerSet;
  readonly #context: DispatchContext;

  constructor(handlers: HandlerSet, context: DispatchContext) {
    this.handlers = handlers;
    this.#context = context;
  }

  /** Answers a request; never throws and never rejects. */
  readonly handle: HttpHandler = (source, exchange) => {
    const { handlers } = this;
    const call: Call = { source, exchange, handlers };
    if (handlers.router.isEmpty) return this.#fetch(call);
    const { path } = exchange;
    if (path === undefined) return badRequest();
    const match = handlers.router.match(path, source.method);
    if (match === undefined) return this.#fetch(call);
    return this.#route(match, call);
  };

  #route(
    match: RouteMatch<RouteTarget>,
    call: Call,
  ): Answer | Promise<Answer> {
    const { target } = match;
    switch (target.kind) {
      case "handler": {
        const { exchange } = call;
        const request = routeRequest(
          exchange,
          this.#context.server,
          match.params,
        );
        return this.#run(
          target.handler as RouteHandler as Handler,
          request,
          call,
        );
      }
      case "static": {
        const { answer } = target;
        if (answer.isReady) return answer.answer(call.source);
        return answer.ready.then(
          () => answer.answer(call.source),
          (error) => this.#fail(error, call.source, call),
        );
      }
      case "event-stream":
        return this.#context.eventStreams.answer(target.stream, call.exchange);
      case "fall-through":
        return this.#fetch(call);
      default:
        return this.#sendFile(match, call);
    }
  }

  #sendFile(
    match: RouteMatch<RouteTarget>,
    call: Call,
  ): Answer | Promise<Answer> {
    const { target, rest } = match;
    const { openFile } = this.#context;
    try {
      if (target.kind === "directory") {
        return answerDirectory(call.source, rest, target.plan, openFile);
      }
      if (target.kind === "file") {
        const answer = answerFileRoute(call.source, target, openFile);
        // As in Bun, a missing file leaves the path to `fetch`.
        if (answer !== undefined) return answer;
      }
      return this.#fetch(call);
    } catch (error) {
      return this.#fail(error, call.source, call);
    }
  }

  #fetch(call: Call): Answer | Promise<Answer> {
    const { fetch } = call.handlers;
    if (fetch === undefined) return new Response(null, { status: 404 });
    const request = fetchRequest(call.exchange, this.#context.server);
    return this.#run(fetch, request, call);
  }

  #run(
    handler: Handler,
    request: Request,
    call: Call,
  ): Answer | Promise<Answer> {
    const { server } = this.#context;
    let result: unknown;
    try {
      result = handler.call(server, request, server);
    } catch (error) {
      return this.#fail(error, request, call);
    }
    if (result instanceof Response || !isThenable(result)) {
      return this.#finish(result, request, call);
    }
    return Promise.resolve(result).then(
      (settled) => this.#finish(settled, request, call),
      (error) => this.#fail(error, request, call),
    );
  }

  #finish(
    result: unknown,
    request: Request,
    call: Call,
  ): Answer | Promise<Answer> {
    const { refusal, answered } = call.exchange;
    if (answered) return ignored(result);
    if (refusal !== undefined) return refuseContent(refusal);
    if (result instanceof EventStream) {
      const lines = touchedCookies(request)?.toSetCookieHeaders();
      return this.#context.eventStreams.answer(result, call.exchange, lines);
    }
    if (!(result instanceof Response)) {
      this.#warnNoResponse(result, call);
      return this.#withCookies(new Response(null, { status: 204 }), request);
    }
    try {
      const answer = toAnswer(result, call.source, this.#context.openFile);
      if (!(answer instanceof Promise)) {
        return this.#withCookies(answer, request);
      }
      return answer.then(
        (started) => this.#withCookies(started, request),
        (error) => this.#fail(error, request, call),
      );
    } catch (error) {
      return this.#fail(error, request, call);
    }
  }

  #fail(
    error: unknown,
    request: Request,
    call: Call,
  ): Answer | Promise<Answer> {
    const { refusal } = call.exchange;
    if (refusal !== undefined) return refuseContent(refusal);
    const { error: onError } = call.handlers;
    if (onError === undefined) return this.#unhandled(error, request, call);
    try {
      const result = onError.call(this.#context.server, error as Error);
      if (!isThenable(result)) {
        return this.#finishError(result, error, request, call);
      }
      return Promise.resolve(result).then(
        (settled) => this.#finishError(settled, error, request, call),
      ).catch((second) => this.#errorFailed(second, error, request));
    } catch (second) {
      return this.#errorFailed(second, error, request);
    }
  }

  #finishError(
    result: unknown,
    error: unknown,
    request: Request,
    call: Call,
  ): Answer | Promise<Answer> {
    if (!(result instanceof Response)) {
      return this.#unhandled(error, request, call);
    }
    const answer = toAnswer(result, call.source, this.#context.openFile);
    if (!(answer instanceof Promise)) return this.#withCookies(answer, request);
    return answer.then(
      (started) => this.#withCookies(started, request),
      (second) => this.#errorFailed(second, error, request),
    );
  }

  /** An error that no `error` handler answered. */
  #unhandled(error: unknown, request: Request, call: Call): Answer {
    console.error(error);
    const { source } = call;
    const response = this.#context.development
      ? errorPage(error, {
        method: source.method,
        url: request.url,
        accept: source.headers.get("accept"),
      })
      : productionError();
    return this.#withCookies(response, request);
  }

  /** An error inside `error`: nothing is left to ask. */
  #errorFailed(second: unknown, first: unknown, request: Request): Answer {
    console.error(first);
    console.error("The error handler failed while answering:", second);
    return this.#withCookies(productionError(), request);
  }

  #withCookies(answer: Answer, request: Request): Answer {
    const cookies = touchedCookies(request);
    if (cookies === undefined) return answer;
    const lines = cookies.toSetCookieHeaders();
    return lines.length === 0 ? answer : sendCookies(answer, lines);
  }

  #warnNoResponse(result: unknown, call: Call): void {
    if (!this.#context.development) return;
    const { method, url } = call.source;
    console.warn(
      `The handler for ${method} ${url} answered ${typeof result} instead of a Response: 204 was sent`,
    );
  }
}

/** An upgrade has answered: the engine drops whatever it gets. */
function ignored(result: unknown): Response {
  if (!(result instanceof Response)) return new Response(null);
  if (!result.bodyUsed) result.body?.cancel().catch(() => {});
  return result;
}

/** A request that names no path of this server. */
function badRequest(): Response {
  return new Response(null, {
    status: 400,
    headers: { connection: "close" },
  });
}

/** The answer to unacceptable content; the engine closes what is left unread. */
function refuseContent(status: 400 | 413): Response {
  return new Response(null, { status });
}
