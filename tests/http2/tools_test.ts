/**
 * Clients that others have written: curl, nghttp and h2load of nghttp2.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { file, serve } from "@jstime/serve";
import type { EngineName } from "../../src/engine/engine.ts";
import { entry } from "../tls/certificates.ts";
import { engineTest } from "../tls/engines.ts";
import { hash, noise } from "./client.ts";

const content = noise(2_000_003);

/** What a program says; undefined if there is none of that name. */
async function run(
  program: string,
  args: readonly string[],
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return stdout;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const has = async (program: string) =>
  await run(program, ["--version"]) !== undefined;

/** Registers a test for every engine that is skipped without a program. */
function toolTest(
  name: string,
  isThere: boolean,
  program: string,
  fn: (origin: string, path: string) => Promise<void>,
): void {
  if (!isThere) {
    return Deno.test.ignore(
      `${name} [skipped: ${program} is missing]`,
      () => {},
    );
  }
  engineTest(name, async (engine: EngineName) => {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, content);
    for (const tls of [undefined, entry("first")]) {
      await using server = serve({
        port: 0,
        hostname: "127.0.0.1",
        http2: true,
        engine,
        ...(tls && { tls }),
        routes: { "/file": new Response(file(path)) },
        fetch: async (request) => {
          const { pathname } = new URL(request.url);
          if (pathname === "/echo") return new Response(request.body);
          if (pathname === "/hash") {
            return new Response(hash(await request.bytes()));
          }
          return new Response("hello");
        },
      });
      const scheme = tls === undefined ? "http" : "https";
      await fn(`${scheme}://127.0.0.1:${server.port}`, path);
    }
    await Deno.remove(path);
  });
}

toolTest("curl", await has("curl"), "curl", async (origin, path) => {
  const version = origin.startsWith("https:")
    ? "--http2"
    : "--http2-prior-knowledge";
  const curl = async (...args: string[]) => {
    const all = ["--silent", "--insecure", version, ...args];
    return (await run("curl", all))!;
  };
  const text = async (...args: string[]) =>
    new TextDecoder().decode(await curl(...args));
  assertEquals(
    await text("--write-out", " over %{http_version}", `${origin}/`),
    "hello over 2",
  );
  assertEquals(hash(await curl(`${origin}/file`)), hash(content));
  const upload = ["--data-binary", `@${path}`];
  assertEquals(hash(await curl(...upload, `${origin}/echo`)), hash(content));
  assertEquals(await text(...upload, `${origin}/hash`), hash(content));
  // The client waits for 100 before it sends.
  const expect = ["--header", "Expect: 100-continue", ...upload];
  assertEquals(await text(...expect, `${origin}/hash`), hash(content));
  const part = await curl("--range", "1000-1999999", `${origin}/file`);
  assertEquals(hash(part), hash(content.subarray(1000, 2_000_000)));
});

toolTest("nghttp", await has("nghttp"), "nghttp", async (origin, path) => {
  const files = Array.from({ length: 20 }, (_, at) => `${origin}/file?${at}`);
  const got = (await run("nghttp", ["--no-verify-peer", ...files]))!;
  assertEquals(got.length, content.length * 20);
  const echo = await run("nghttp", ["-y", `--data=${path}`, `${origin}/echo`]);
  assertEquals(hash(echo!), hash(content));
});

toolTest("h2load", await has("h2load"), "h2load", async (origin) => {
  const load = ["-n", "20000", "-c", "20", "-m", "50", `${origin}/`];
  const text = new TextDecoder().decode(await run("h2load", load));
  assert(/20000 succeeded, 0 failed, 0 errored/.test(text), text);
  const files = ["-n", "200", "-c", "10", "-m", "10", `${origin}/file`];
  const bulk = new TextDecoder().decode(await run("h2load", files));
  assert(/200 succeeded, 0 failed, 0 errored/.test(bulk), bulk);
});
