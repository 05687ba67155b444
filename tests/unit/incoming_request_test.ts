import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import type { Exchange } from "../../src/engine/engine.ts";
import {
  adoptFetchRequest,
  adoptRouteRequest,
  exchangeOf,
  fetchRequest,
  routeRequest,
  touchedCookies,
} from "../../src/http/incoming_request.ts";
import type { JSTimeRequest } from "../../src/serve_types.ts";

/** An exchange whose client can be made to leave. */
class FakeExchange implements Exchange {
  readonly answered = false;
  readonly host = null;
  readonly hasContent: boolean = true;
  readonly refusal = undefined;
  readonly request: Request;
  leave: () => void = () => {};

  constructor(init?: RequestInit) {
    this.request = new Request("http://localhost/a/../b?c", init);
  }

  remoteAddress(): null {
    return null;
  }

  setIdleTimeout(): void {}

  answerNow(): void {}

  upgrade(): undefined {}

  onClientGone(listener: () => void): void {
    this.leave = listener;
  }
}

const params = { id: "7" };

/** Both ways to make a request must be the same to its user. */
const WAYS: Record<
  string,
  {
    fetch(exchange: Exchange): Request;
    route(exchange: Exchange): Request;
  }
> = {
  "in front of the engine's": {
    fetch: fetchRequest,
    route: (exchange) => routeRequest(exchange, params),
  },
  "that is the engine's": {
    fetch: adoptFetchRequest,
    route: (exchange) => adoptRouteRequest(exchange, params),
  },
};

for (const [way, make] of Object.entries(WAYS)) {
  Deno.test(`A request ${way} is a Request`, async () => {
    const request = make.fetch(
      new FakeExchange({ method: "POST", body: "hello", headers: { a: "b" } }),
    );
    assertInstanceOf(request, Request);
    assertEquals(request.constructor, Request);
    assertEquals(Object.prototype.toString.call(request), "[object Request]");
    assertEquals(Object.keys(request), []);
    assertEquals(request.method, "POST");
    assertEquals(request.headers.get("a"), "b");
    assertEquals(request.url, "http://localhost/b?c");
    assertEquals(await request.clone().text(), "hello");
    const copy = new Request(request);
    assert(request.bodyUsed);
    assertEquals(await copy.text(), "hello");
    assertThrows(() => {
      (request as { url: string }).url = "/";
    }, TypeError);
  });

  Deno.test(`A fetch request ${way} can be extended`, () => {
    const request = make.fetch(new FakeExchange()) as Request & {
      params?: unknown;
      cookies?: unknown;
    };
    assertEquals(request.params, undefined);
    assertEquals(request.cookies, undefined);
    request.params = params;
    assertEquals(request.params, params);
    Object.defineProperties(request, { ip: { value: "::1" } });
    assertEquals(Reflect.get(request, "ip"), "::1");
  });

  Deno.test(`A route request ${way} has params and cookies`, async () => {
    const exchange = new FakeExchange({
      method: "POST",
      body: "hello",
      headers: { cookie: "a=b" },
    });
    const request = make.route(exchange) as JSTimeRequest;
    assertEquals(request.params, params);
    assertThrows(() => {
      (request as { params: unknown }).params = {};
    }, TypeError);
    assertEquals(touchedCookies(request), undefined);
    assertEquals(request.cookies.get("a"), "b");
    assertEquals(request.cookies, request.cookies);
    assertEquals(touchedCookies(request), request.cookies);
    assertEquals(exchangeOf(request), exchange);
    const copy = request.clone();
    assertEquals(copy.params, params);
    assertEquals(copy.cookies.get("a"), "b");
    assertEquals(await copy.text(), await request.text());
  });

  Deno.test(`The signal of a request ${way} aborts when its client leaves`, () => {
    const exchange = new FakeExchange();
    const { signal } = make.route(exchange);
    assertEquals(signal.aborted, false);
    exchange.leave();
    assertEquals(signal.aborted, true);
    assertEquals(signal.reason.name, "AbortError");
  });
}
