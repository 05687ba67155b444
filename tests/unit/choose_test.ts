import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { serve } from "@jstime/serve";
import {
  chooseConnectEngine,
  chooseEngine,
  chooseListenEngine,
} from "../../src/engine/choose.ts";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import type { HttpListenPlan } from "../../src/engine/engine.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";

const fetch = () => new Response("Hello");
const options = { hostname: "127.0.0.1", port: 0, fetch };
const native = loadNativeEngine();

function planOf(more: object = {}): HttpListenPlan {
  return resolveHttpOptions({ ...options, ...more }).listen;
}

/** What `unable` says about some options. */
const PLANS: [name: string, plan: HttpListenPlan][] = [
  ["a plain server", planOf()],
  [
    "TLS",
    {
      ...planOf(),
      tls: {
        certificates: [{ cert: "", key: "", serverName: undefined }],
        isList: false,
      },
    },
  ],
];

Deno.test("the deno engine can always be chosen", () => {
  for (const [, plan] of PLANS) {
    assertStrictEquals(chooseEngine("deno", plan), denoEngine);
    assertEquals(denoEngine.unable(plan), undefined);
  }
});

for (const [name, plan] of PLANS) {
  const reason = native === undefined
    ? nativeEngineFailure()?.reason
    : native.unable(plan);

  Deno.test(`auto serves ${name} with the native engine if that can`, () => {
    const engine = chooseEngine("auto", plan);
    assertEquals(engine.name, reason === undefined ? "native" : "deno");
  });

  Deno.test(`native serves ${name}, or says why it cannot`, () => {
    if (reason === undefined) {
      const engine = chooseEngine("native", plan);
      assertStrictEquals(engine, native);
      return;
    }
    const error = assertThrows(
      () => chooseEngine("native", plan),
      Error,
      `Cannot use engine "native": ${reason}`,
    );
    assertEquals(
      (error as Error & { code?: string }).code,
      "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
    );
  });
}

Deno.test("server.engine says which engine serves", async () => {
  await using server = serve({ ...options, engine: "deno" });
  assertEquals(server.engine, "deno");
  await using other = serve(options);
  const chosen = chooseEngine("auto", planOf());
  assertEquals(other.engine, chosen.name);
});

const PROGRAM = `
  import { serve } from "@jstime/serve";
  const options = { hostname: "127.0.0.1", port: 0 };
  const server = serve({ ...options, fetch: () => new Response("Hello") });
  const answer = await (await fetch(server.url)).text();
  console.log(server.engine, answer);
  await server.stop();
`;

Deno.test("without permission for FFI the deno engine serves, without asking", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      "--allow-net=127.0.0.1",
      "-",
    ],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(text, "deno Hello\n", new TextDecoder().decode(stderr));
});

Deno.test("auto listens on the native engine where it is, and needs no help", () => {
  const address = {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 0,
    reusePort: false,
    ipv6Only: false,
  } as const;
  // No certificate at all, which the helper cannot use.
  const pair = { cert: "", key: "", serverName: undefined };
  const tls = { certificates: [pair], alpnProtocols: [] } as const;
  const best = loadNativeEngine() === undefined ? "deno" : "native";
  const plain = { address, tls: undefined };
  assertEquals(chooseListenEngine("auto", plain).name, best);
  assertEquals(chooseListenEngine("auto", { address, tls }).name, "deno");
  assertEquals(chooseListenEngine("deno", plain).name, "deno");
  assertEquals(chooseConnectEngine("auto").name, "deno");
  assertEquals(chooseConnectEngine("deno").name, "deno");
  if (best === "deno") return;
  assertEquals(chooseListenEngine("native", { address, tls }).name, "native");
  assertEquals(chooseConnectEngine("native").name, "native");
});
