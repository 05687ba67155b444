import { assert, assertEquals } from "@std/assert";
import { serve } from "@jstime/serve";
import { entry } from "../tls/certificates.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { canServeHttp2 } from "./engines.ts";
import { found, runProgram } from "./run_program.ts";

const ignore = !await found("h2load") || !await found("nghttp");
const note = ignore ? " [skipped: there is no h2load]" : "";

const common = {
  port: 0,
  hostname: "127.0.0.1",
  tls: entry("first"),
  routes: {
    "/static": new Response("static"),
    "/large": () => new Response("x".repeat(1_000_000)),
    "/echo": async (request: Request) => new Response(await request.bytes()),
  },
};

testOnEngines(
  "h2load: many requests at once, and their content" + note,
  async ({ name: engine }) => {
    await using server = serve({ ...common, engine, http2: true });
    for (
      const [path, requests] of [["static", 2000], ["large", 40]] as const
    ) {
      const { code, text } = await runProgram("h2load", [
        ...["-n", `${requests}`, "-c", "4", "-m", "20"],
        `${server.url}${path}`,
      ]);
      assertEquals(code, 0, text);
      assert(text.includes(`${requests} succeeded, 0 failed`), text);
      assert(text.includes(`status codes: ${requests} 2xx`), text);
      assert(text.includes("Application protocol: h2"), text);
    }
  },
  { ignore, isFor: canServeHttp2 },
);

testOnEngines(
  "h2load: HTTP/1.1 over TLS" + note,
  async ({ name: engine }) => {
    await using server = serve({ ...common, engine });
    const { text } = await runProgram("h2load", [
      ...["--h1", "-n", "1000", "-c", "4", "-m", "4"],
      `${server.url}static`,
    ]);
    assert(text.includes("1000 succeeded, 0 failed"), text);
  },
  { ignore },
);

testOnEngines(
  "nghttp: uploads, and windows as small as can be" + note,
  async ({ name: engine }) => {
    await using server = serve({ ...common, engine, http2: true });
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, "abcdefg".repeat(50_000));
      // Windows of 2 to the power of 10 bytes.
      const { code, text } = await runProgram("nghttp", [
        ...["-w", "10", "-W", "10", "-d", path],
        `${server.url}echo`,
      ]);
      assertEquals(code, 0, text);
      assertEquals(text.length, 350_000);
    } finally {
      await Deno.remove(path);
    }
  },
  { ignore, isFor: canServeHttp2 },
);
