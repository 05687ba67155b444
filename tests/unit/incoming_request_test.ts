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
  isOwnedBy,
  routeRequest,
  touchedCookies,
} from "../../src/http/incoming_request.ts";
import type { RequestMembers } from "../../src/http/platform_members.ts";
import {
  type HeaderReader,
  readHeader,
} from "../../src/runtime/request_slots.ts";
import type { JSTimeRequest } from "../../src/serve_types.ts";

const params = { id: "7" };
const owner = {};

/** An exchange whose client can be made to leave. */
class FakeExchange implements Exchange {
  readonly answered = false;
  readonly host = null;
  readonly path = "/a/../b";
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

/**
 * What an engine may hand over instead of a platform's request: it knows the
 * facts, and has no slots before somebody asks for one.
 */
class LazyRequest implements RequestMembers, HeaderReader {
  readonly url = "http://localhost/lazy";
  readonly method = "POST";
  readonly headers = new Headers({ "x-a": "b" });
  readonly body = null;
  readonly bodyUsed = false;
  arrayBuffer = () => Promise.resolve(new ArrayBuffer(4));
  blob = () => Promise.resolve(new Blob(["lazy"]));
  bytes = () => Promise.resolve(new Uint8Array(4));
  formData = () => Promise.resolve(new FormData());
  json = () => Promise.resolve("lazy");
  text = () => Promise.resolve("lazy");
  clone = () => new LazyRequest() as unknown as Request;

  [readHeader](name: string): string | null {
    return name === "cookie" ? "a=b" : null;
  }

  static {
    for (const slot of Object.getOwnPropertySymbols(new Request("a:b"))) {
      Object.defineProperty(this.prototype, slot, {
        get: () => {
          throw new Error("Asked for a slot");
        },
      });
    }
  }
}

Deno.test("what handlers use most is asked of the engine's request", async () => {
  const exchange = new FakeExchange();
  const lazy = new LazyRequest() as unknown as Request;
  Object.defineProperty(exchange, "request", { value: lazy });
  for (
    const request of [
      fetchRequest(exchange, owner),
      routeRequest(exchange, owner, params),
      routeRequest(exchange, owner, params).clone(),
    ]
  ) {
    assertInstanceOf(request, Request);
    assertEquals(request.url, "http://localhost/lazy");
    assertEquals(request.method, "POST");
    assertEquals(request.headers.get("x-a"), "b");
    assertEquals(request.body, null);
    assertEquals(request.bodyUsed, false);
    assertEquals((await request.arrayBuffer()).byteLength, 4);
    assertEquals((await request.blob()).size, 4);
    assertEquals((await request.bytes()).length, 4);
    assertInstanceOf(await request.formData(), FormData);
    assertEquals(await request.json(), "lazy");
    assertEquals(await request.text(), "lazy");
    assertEquals(request.signal.aborted, false);
  }
  const route = routeRequest(exchange, owner, params) as JSTimeRequest;
  assertEquals(route.cookies.get("a"), "b");
  assertThrows(() => new Request(route), Error, "Asked for a slot");
});

Deno.test("a request knows which server it came to", () => {
  const exchange = new FakeExchange();
  assert(isOwnedBy(fetchRequest(exchange, owner), owner));
  assert(isOwnedBy(routeRequest(exchange, owner, params), owner));
  assert(isOwnedBy(routeRequest(exchange, owner, params).clone(), owner));
  assert(!isOwnedBy(fetchRequest(exchange, owner), {}));
  assert(!isOwnedBy(new Request("http://localhost/"), owner));
});

/** Both ways to make a request must be the same to its user. */
const WAYS: Record<
  string,
  {
    fetch(exchange: Exchange): Request;
    route(exchange: Exchange): Request;
  }
> = {
  "in front of the engine's": {
    fetch: (exchange) => fetchRequest(exchange, owner),
    route: (exchange) => routeRequest(exchange, owner, params),
  },
  "that is the engine's": {
    fetch: (exchange) => adoptFetchRequest(exchange, owner),
    route: (exchange) => adoptRouteRequest(exchange, owner, params),
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
