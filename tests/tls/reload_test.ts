import { assertEquals, assertThrows } from "@std/assert";
import { serve } from "@jstime/serve";
import { engineTest } from "./engines.ts";
import type { TlsPlan } from "../../src/engine/engine.ts";
import type { TlsBackend } from "../../src/engine/deno/tls_backend.ts";
import { TlsBackends } from "../../src/engine/deno/tls_backends.ts";
import { certificateOf, entry, keyOf, pathOf } from "./certificates.ts";
import { HttpsConnection, shakeHands, shownCertificate } from "./client.ts";

const common = {
  port: 0,
  hostname: "127.0.0.1",
  fetch: () => new Response("ok"),
};

engineTest(
  "50 reloads fail no handshake and drop no connection",
  async (engine) => {
    const plans = [
      [entry("first")],
      [entry("second"), entry("first", "first.test")],
      [entry("wildcard")],
    ];
    await using server = serve({ ...common, engine, tls: plans[0]! });
    const port = server.port!;
    await using old = await HttpsConnection.open(port);
    assertEquals(await old.get("/"), "ok");
    let isReloading = true;
    const shown = new Set<string>();
    const clients = Array.from({ length: 4 }, async () => {
      let handshakes = 0;
      while (isReloading) {
        shown.add(await shownCertificate(port, ""));
        handshakes++;
      }
      return handshakes;
    });
    for (let round = 1; round <= 50; round++) {
      server.reload({ tls: plans[round % 3]! });
      const expected = ["first", "second", "wildcard"][round % 3];
      assertEquals(await shownCertificate(port, ""), expected);
      assertEquals(await old.get("/"), "ok");
    }
    isReloading = false;
    const handshakes = await Promise.all(clients);
    assertEquals(handshakes.every((count) => count > 5), true, `${handshakes}`);
    assertEquals([...shown].sort(), ["first", "second", "wildcard"]);
  },
);

engineTest(
  "a request in flight goes on with the old certificate",
  async (engine) => {
    const called = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    await using server = serve({
      ...common,
      engine,
      tls: [entry("first")],
      fetch: async () => {
        called.resolve();
        await answer.promise;
        return new Response("late");
      },
    });
    await using old = await HttpsConnection.open(server.port!);
    await old.send("GET / HTTP/1.1\r\nHost: first.test\r\n\r\n");
    await called.promise;
    server.reload({ tls: [entry("second")], fetch: () => new Response("new") });
    await using fresh = await HttpsConnection.open(
      server.port!,
      "second.test",
      "second",
    );
    assertEquals(await fresh.get("/"), "new");
    answer.resolve();
    assertEquals(await old.receive(), "late");
    assertEquals(await old.get("/"), "new");
  },
);

engineTest(
  "reload changes names and handlers together, or nothing",
  async (engine) => {
    await using server = serve({
      ...common,
      engine,
      tls: [entry("first"), entry("second", "second.test")],
    });
    const port = server.port!;
    server.reload({ tls: [entry("first"), entry("second", "other.test")] });
    assertEquals(await shownCertificate(port, "second.test"), "first");
    assertEquals(await shownCertificate(port, "other.test"), "second");
    const wrong: [options: object, message: string][] = [
      [
        { tls: [{ cert: certificateOf("first"), key: keyOf("second") }] },
        "key",
      ],
      [{ tls: [entry("second"), entry("first")] }, "serverName"],
      [{ tls: [entry("second")], routes: { "no slash": new Response() } }, ""],
      [{ tls: [entry("second")], fetch: "no" }, "fetch"],
    ];
    for (const [options, message] of wrong) {
      const fetch = () => new Response("changed");
      assertThrows(
        () => server.reload({ fetch, ...options } as typeof common),
        TypeError,
        message,
      );
      assertEquals(await shownCertificate(port, "other.test"), "second");
      assertEquals(await shownCertificate(port, ""), "first");
      await using connection = await HttpsConnection.open(port);
      assertEquals(await connection.get("/"), "ok");
    }
    server.reload({ fetch: () => new Response("changed") });
    assertEquals(await shownCertificate(port, "other.test"), "second");
  },
);

engineTest(
  "what asks for no certificates keeps those there are",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: [entry("first")] });
    for (const tls of [undefined, null, false, [], {}, [{}]]) {
      server.reload({ tls } as unknown as typeof common);
      assertEquals(await shownCertificate(server.port!, ""), "first");
    }
  },
);

engineTest(
  "one certificate, not in a list, cannot be replaced",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: entry("first") });
    // As programs do that pass all their options again.
    server.reload({ ...common, tls: entry("first") });
    server.reload({ ...common, tls: [entry("first")] });
    const error = assertThrows(
      () => server.reload({ ...common, tls: entry("second") }),
      Error,
      "Cannot reload tls",
    );
    assertEquals(
      (error as Error & { code?: string }).code,
      "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
    );
    assertEquals(await shownCertificate(server.port!, ""), "first");
  },
  (features) => !features.replaceSingleCertificate,
);

engineTest(
  "one certificate, not in a list, can be replaced",
  async (engine) => {
    await using server = serve({ ...common, engine, tls: entry("first") });
    server.reload({ ...common, tls: entry("second") });
    assertEquals(await shownCertificate(server.port!, ""), "second");
    server.reload({
      ...common,
      tls: [entry("first"), entry("expired", "x.test")],
    });
    assertEquals(await shownCertificate(server.port!, ""), "first");
    assertEquals(await shownCertificate(server.port!, "x.test"), "expired");
  },
  (features) => features.replaceSingleCertificate,
);

engineTest("a server without TLS does not begin with it", async (engine) => {
  await using server = serve({ ...common, engine });
  assertThrows(
    () => server.reload({ tls: [entry("first")] }),
    Error,
    "the server started without",
  );
});

engineTest("a list can be replaced by files", async (engine) => {
  const { file } = await import("@jstime/serve");
  await using server = serve({ ...common, engine, tls: [entry("first")] });
  server.reload({
    tls: {
      cert: file(pathOf("second_cert.pem")),
      key: file(pathOf("second_key.pem")),
    },
  });
  const { certificate } = await shakeHands(server.port!, "");
  assertEquals(certificate, "second");
});

/** A backend that only says what happens to it. */
class FakeBackend {
  isUnused = true;
  isStopped = false;
  readonly onUnused: () => void;
  readonly name: string;

  constructor(name: string, onUnused: (backend: TlsBackend) => void) {
    this.name = name;
    this.onUnused = () => onUnused(this as unknown as TlsBackend);
  }

  cut(): void {
    this.isStopped = true;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

Deno.test("a replaced backend stops after its last connection", () => {
  const all = new Map<string, FakeBackend>();
  const start = (
    { cert }: TlsPlan,
    onUnused: (backend: TlsBackend) => void,
  ) => {
    if (cert === "bad") throw new TypeError("Bad certificate");
    const backend = new FakeBackend(cert, onUnused);
    all.set(cert, backend);
    return backend as unknown as TlsBackend;
  };
  const plan = (...certs: string[]) =>
    certs.map((cert) => ({ cert, key: "", serverName: `${cert}.test` }));
  const stopped = () =>
    [...all.values()].filter((one) => one.isStopped).map(({ name }) => name);
  const backends = new TlsBackends(plan("a", "b", "c"), start);
  all.get("a")!.isUnused = false;
  all.get("b")!.isUnused = false;
  const kept = all.get("b");

  backends.replace(plan("b", "d"));
  assertEquals(stopped(), ["c"]);
  assertEquals(all.get("b"), kept);
  all.get("a")!.isUnused = true;
  all.get("a")!.onUnused();
  assertEquals(stopped(), ["a", "c"]);
  all.get("b")!.isUnused = true;
  all.get("b")!.onUnused();
  assertEquals(stopped(), ["a", "c"]);

  assertThrows(() => backends.replace(plan("e", "d", "bad")), TypeError);
  assertEquals(stopped(), ["a", "c", "e"]);
  assertEquals(backends.select("b.test"), kept as unknown as TlsBackend);
});
