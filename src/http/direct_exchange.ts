import type { Exchange } from "../engine/engine.ts";
import { pathOf } from "../runtime/request_target.ts";

/** The exchange of a request that reached `server.fetch()` without a network. */
export class DirectExchange implements Exchange {
  readonly answered = false;
  readonly host = null;
  readonly hasContent = true;
  readonly refusal = undefined;
  readonly request: Request;

  constructor(request: Request) {
    this.request = request;
  }

  get path(): string | undefined {
    return pathOf(this.request.url, null);
  }

  remoteAddress(): null {
    return null;
  }

  /** Whoever called takes what the handler returns. */
  answerNow(): void {}

  /** There is no connection to upgrade. */
  upgrade(): undefined {}

  /** Whoever called can wait as long as they like. */
  setIdleTimeout(): void {}

  onClientGone(listener: () => void): void {
    const { signal } = this.request;
    if (signal.aborted) listener();
    else signal.addEventListener("abort", listener, { once: true });
  }
}
