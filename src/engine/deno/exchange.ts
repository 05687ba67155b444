import type {
  EngineWebSocket,
  Exchange,
  PeerAddress,
  WebSocketEvents,
  WebSocketPlan,
} from "../engine.ts";
import { headerOf } from "../../runtime/request_slots.ts";
import { pathOf } from "../../runtime/request_target.ts";
import type { IdleSweep, Sweepable } from "./idle_sweep.ts";
import { DenoWebSocket } from "./web_socket.ts";
import type { WebSocketPool } from "./web_socket_pool.ts";

/**
 * What `Deno.serve` tells about a request besides the request; platforms like
 * it may tell less or nothing.
 */
export type HandlerInfo =
  | Partial<Deno.ServeHandlerInfo<Deno.Addr>> & {
    /** Is told the idle timeout of the request: seconds, 0 is never. */
    readonly onIdleTimeout?: (seconds: number) => void;
  }
  | undefined;

/** One request on `Deno.serve`. */
export class DenoExchange implements Exchange, Sweepable {
  request: Request;
  hasContent = true;
  refusal: 400 | 413 | undefined = undefined;
  deadline = Infinity;
  /** What was answered before the handler did. */
  early: Response | undefined;
  /** Called with it as soon as it is there. */
  onEarly: ((answer: Response) => void) | undefined;
  readonly #platformRequest: Request;
  readonly #info: HandlerInfo;
  readonly #sweep: IdleSweep;
  readonly #pool: WebSocketPool;
  readonly #onEnd: () => void;
  #timeout: number;
  #ended = false;
  #handedOver = false;
  #gone = false;
  #clientGone: (() => void) | undefined;
  #expire: (() => void) | undefined;

  constructor(
    request: Request,
    info: HandlerInfo,
    pool: WebSocketPool,
    idleTimeout: number,
    onEnd: () => void,
  ) {
    this.request = request;
    this.#platformRequest = request;
    this.#info = info;
    this.#sweep = pool.sweep;
    this.#pool = pool;
    this.#timeout = idleTimeout;
    this.#onEnd = onEnd;
  }

  get host(): string | null {
    const request = this.#platformRequest;
    // After an upgrade only the headers that were kept are within reach.
    return this.answered
      ? request.headers.get("host")
      : headerOf(request, "host");
  }

  get path(): string | undefined {
    return pathOf(this.#platformRequest.url, this.host);
  }

  remoteAddress(): PeerAddress | null {
    if (this.#ended) return null;
    try {
      const address = this.#info?.remoteAddr;
      if (address === undefined || !("hostname" in address)) return null;
      const { hostname, port } = address;
      const family = hostname.includes(":") ? "IPv6" : "IPv4";
      return { address: hostname, port, family };
    } catch {
      // The platform lets go of a request as soon as it is answered.
      return null;
    }
  }

  get answered(): boolean {
    return this.early !== undefined;
  }

  answerNow(answer: Response): void {
    if (this.answered || this.#ended) return;
    this.handOver();
    this.#answer(answer);
  }

  upgrade(
    plan: WebSocketPlan,
    headers: Headers,
    events: WebSocketEvents,
  ): EngineWebSocket | undefined {
    if (this.answered || this.#ended || this.#pool.isStopping) {
      return undefined;
    }
    const request = this.#platformRequest;
    // Headers that nobody has read yet are out of reach after the upgrade.
    request.headers.forEach(() => {});
    // The upgrade aborts the request's signal, but nobody has left.
    this.handOver();
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, {
        idleTimeout: plan.sendPings ? plan.idleTimeout : 0,
      });
    } catch {
      return undefined;
    }
    this.hasContent = false;
    const { response, socket } = upgraded;
    for (const [name, value] of headers) response.headers.append(name, value);
    this.#answer(response);
    return new DenoWebSocket(socket, plan, events, this.#pool);
  }

  setIdleTimeout(seconds: number): void {
    this.#timeout = seconds;
    this.#info?.onIdleTimeout?.(seconds);
    this.progress();
  }

  /** Moves the deadline: something was sent or received. */
  progress(): void {
    this.deadline = this.#timeout === 0
      ? Infinity
      : this.#sweep.now + this.#timeout * 1_000;
  }

  /** Begins to apply the idle timeout. */
  watch(expire: () => void): void {
    this.#expire = expire;
    this.progress();
    this.#sweep.add(this);
  }

  expire(): void {
    this.leave();
    this.#expire?.();
  }

  onClientGone(listener: () => void): void {
    if (this.#gone) return listener();
    if (this.#ended) return;
    this.#clientGone = listener;
    // Both must be asked for before the platform lets go of the request.
    const completed = this.#info?.completed ?? Promise.resolve();
    completed.catch(() => {});
    this.#platformRequest.signal.addEventListener("abort", () => {
      // By default Deno aborts this signal after every response. Only
      // `completed` tells whether the response was sent.
      if (this.#handedOver) completed.catch(() => this.leave());
      else this.leave();
    });
  }

  /** The answer is with the platform now. */
  handOver(): void {
    this.#handedOver = true;
  }

  /** The response is complete, or there is nobody to send it to. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#expire !== undefined) this.#sweep.remove(this);
    this.#onEnd();
  }

  /** The client left, or is treated as if it had. */
  leave(): void {
    if (this.#gone || this.#ended) return;
    this.#gone = true;
    this.#clientGone?.();
  }

  #answer(answer: Response): void {
    this.early = answer;
    this.end();
    this.onEarly?.(answer);
  }
}
