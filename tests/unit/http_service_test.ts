import { assertEquals } from "@std/assert";
import { DenoHttpService } from "../../src/engine/deno/http_service.ts";
import type { HttpHandler } from "../../src/engine/engine.ts";

function serviceOf(
  handler: HttpHandler,
  maxPendingRequests = 2,
): DenoHttpService {
  return new DenoHttpService({
    maxRequestBodySize: 1000,
    idleTimeout: 0,
    maxPendingRequests,
    health: { path: "/healthz", stall: 5 },
    metricsRoute: "/metrics",
  }, handler);
}

async function ask(service: DenoHttpService, path = "/"): Promise<number> {
  const request = new Request(`http://localhost${path}`);
  const response = await service.serve(request, undefined);
  await response.body?.cancel();
  return response.status;
}

Deno.test("handlers that answer make room for others", async () => {
  const waiting: (() => void)[] = [];
  const service = serviceOf(() =>
    new Promise((resolve) => waiting.push(() => resolve(new Response("late"))))
  );
  const first = [ask(service), ask(service)];
  assertEquals(service.metrics().queuedRequests, 2);
  assertEquals(service.pendingRequests, 2);
  assertEquals(await ask(service), 503);
  assertEquals(await ask(service, "/healthz"), 200);
  assertEquals(await ask(service, "/metrics"), 200);
  for (const answer of waiting) answer();
  assertEquals(await Promise.all(first), [200, 200]);
  assertEquals(service.metrics().queuedRequests, 0);
  const again = ask(service);
  waiting.at(-1)!();
  assertEquals(await again, 200);
  const { requests, requestsShed, statuses } = service.metrics();
  assertEquals([requests, requestsShed], [6, 1]);
  assertEquals(statuses, { 200: 5, 503: 1 });
  service.close();
});

Deno.test("handlers that were cut do not wait for ever", async () => {
  const service = serviceOf(() => new Promise(() => {}));
  for (let round = 0; round < 3; round++) {
    const asked = [ask(service), ask(service)];
    service.cutAll();
    assertEquals(await Promise.all(asked), [503, 503]);
    const { queuedRequests, requestsShed } = service.metrics();
    assertEquals([queuedRequests, requestsShed], [0, 0]);
  }
  assertEquals(service.pendingRequests, 0);
  service.close();
});

Deno.test("handlers that answer at once never wait", async () => {
  const service = serviceOf(() => new Response("now"), 1);
  for (let round = 0; round < 5; round++) {
    assertEquals(await ask(service), 200);
  }
  assertEquals(service.metrics().requestsShed, 0);
  service.close();
});

Deno.test("streams that are being sent do not count as waiting", async () => {
  const service = serviceOf(() =>
    Promise.resolve({
      kind: "stream",
      status: 200,
      headers: new Headers(),
      source: { read: () => new Promise(() => {}), cancel: () => {} },
    }), 1);
  const request = new Request("http://localhost/");
  const streams = [];
  for (let round = 0; round < 3; round++) {
    const response = await service.serve(request, undefined);
    assertEquals(response.status, 200);
    streams.push(response);
  }
  assertEquals(service.pendingRequests, 3);
  assertEquals(service.metrics().requestsShed, 0);
  for (const { body } of streams) await body?.cancel();
  assertEquals(service.pendingRequests, 0);
  service.close();
});
