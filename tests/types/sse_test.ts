import { assertType, type IsExact } from "@std/testing/types";
import {
  type EventStream,
  type EventStreamOptions,
  type RouteHandler,
  type Serve,
  serve,
  sse,
} from "../../mod.ts";

Deno.test("event streams are routes, and what handlers answer", async () => {
  const stream: EventStream = sse({ topic: "t" });
  assertType<IsExact<typeof stream.topic, string>>(true);
  const handler: RouteHandler<"/:id"> = ({ params }) =>
    sse({ topic: params.id });
  const routes: Serve.Routes = { "/": stream, "/get": { GET: stream } };
  await using server = serve({
    hostname: "127.0.0.1",
    port: 0,
    engine: "deno",
    routes: {
      ...routes,
      "/:id": handler,
      "/rooms/:room": async ({ params }) => {
        assertType<IsExact<typeof params, { readonly room: string }>>(true);
        return await Promise.resolve(sse({ topic: params.room }));
      },
    },
    fetch: () => stream,
  });
  server.publish("t", "x");
});

/** Never called: what must not compile. */
export function refused(): void {
  // @ts-expect-error: a topic is needed
  sse({});
  // @ts-expect-error: a topic is text
  sse({ topic: 5 });
  // @ts-expect-error: there is no such option
  sse({ topic: "t", id: "1" });
  // @ts-expect-error: options are read only
  (({ topic: "t" }) as EventStreamOptions).topic = "u";
}
