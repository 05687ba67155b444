import { assert, assertEquals } from "@std/assert";
import { file, serve } from "@jstime/serve";
import { entry, pathOf } from "../tls/certificates.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { canServeHttp2 } from "./engines.ts";
import { found, runProgram } from "./run_program.ts";

const ignore = !await found("curl");
const note = ignore ? " [skipped: there is no curl]" : "";
/** As long as what curl sends in chunks, and no power of two. */
const LENGTH = 3_000_001;

/** What curl prints for some arguments. */
async function curl(...args: string[]): Promise<string> {
  const { code, text, errors } = await runProgram(
    "curl",
    ["-sS", "--fail", ...args],
  );
  assertEquals(code, 0, errors);
  return text;
}

/** Runs `use` with a file of letters. */
async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "abcdefg".repeat(LENGTH).slice(0, LENGTH));
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

function routes(path: string) {
  return {
    "/static": new Response("static"),
    "/file": file(path),
    "/number/:number": ({ params }: { params: { number: string } }) =>
      new Response(params.number),
    "/echo": async (request: Request) => new Response(await request.bytes()),
    "/length": async (request: Request) => {
      const { length } = await request.bytes();
      return new Response(String(length));
    },
  };
}

const address = { port: 0, hostname: "127.0.0.1" };

testOnEngines(
  "curl: methods, uploads, ranges and keep-alive" + note,
  ({ name: engine }) =>
    withFile(async (path) => {
      await using server = serve({ ...address, engine, routes: routes(path) });
      const { url } = server;
      assertEquals(await curl(`${url}number/7`), "7");
      assertEquals(await curl("--http1.0", `${url}number/7`), "7");
      assert((await curl("-I", `${url}file`)).includes(`${LENGTH}`));
      assertEquals(await curl("-d", "a=b", `${url}echo`), "a=b");
      // Of known length after a 100, and in chunks.
      const length = `${url}length`;
      assertEquals(await curl("-T", path, length), `${LENGTH}`);
      assertEquals(
        await curl("-T", path, "-H", "Transfer-Encoding: chunked", length),
        `${LENGTH}`,
      );
      assertEquals(await curl("-F", `x=@${path}`, length) > `${LENGTH}`, true);
      assertEquals(await curl("-r", "7-13", `${url}file`), "abcdefg");
      assertEquals((await curl("-C", "1000001", `${url}file`)).length, 2e6);
      assertEquals(
        await curl(
          ...["-w", "%{num_connects}"],
          ...[`${url}static`, `${url}number/1`, `${url}static`],
        ),
        "static110static0",
      );
    }),
  { ignore },
);

testOnEngines(
  "curl: a Unix socket" + note,
  ({ name: engine }) =>
    withFile(async (path) => {
      const unix = `${path}.sock`;
      await using _ = serve({ engine, unix, routes: routes(path) });
      assertEquals(
        await curl("--unix-socket", unix, "http://a/number/5"),
        "5",
      );
    }),
  { ignore },
);

testOnEngines(
  "curl: HTTPS by server name, resumed, with TLS 1.2 and 1.3" + note,
  ({ name: engine }) =>
    withFile(async (path) => {
      await using server = serve({
        ...address,
        engine,
        routes: routes(path),
        tls: [entry("first", "first.test"), entry("second", "second.test")],
      });
      for (const name of ["first", "second"] as const) {
        const url = `https://${name}.test:${server.port}`;
        const trust = [
          ...["--resolve", `${name}.test:${server.port}:127.0.0.1`],
          ...["--cacert", pathOf(`${name}_cert.pem`)],
        ];
        for (const version of ["1.2", "1.3"]) {
          assertEquals(
            await curl(
              ...trust,
              ...["--http1.1", `--tlsv${version}`, "--tls-max", version],
              `${url}/number/${version}`,
            ),
            version,
          );
        }
        const whole = await curl(...trust, "--http1.1", `${url}/file`);
        assertEquals(whole.length, LENGTH);
      }
    }),
  { ignore },
);

testOnEngines(
  "curl: HTTP/2" + note,
  ({ name: engine }) =>
    withFile(async (path) => {
      await using server = serve({
        ...address,
        engine,
        routes: routes(path),
        tls: entry("first"),
        http2: true,
      });
      const url = `https://127.0.0.1:${server.port}`;
      const h2 = ["-k", "--http2", "-w", " %{http_version}"];
      assertEquals(await curl(...h2, `${url}/number/7`), "7 2");
      assertEquals(await curl(...h2, `${url}/static`), "static 2");
      assertEquals(await curl(...h2, "-d", "a=b", `${url}/echo`), "a=b 2");
      assertEquals(
        await curl(...h2, "-T", path, `${url}/length`),
        `${LENGTH} 2`,
      );
      assertEquals(await curl(...h2, "-r", "7-13", `${url}/file`), "abcdefg 2");
      const whole = await curl(...h2, `${url}/file`);
      assertEquals(whole.length, LENGTH + 2);
      // Many at once over one connection.
      const many = await curl(
        ...["-k", "--http2", "--parallel", "--parallel-immediate"],
        `${url}/number/[100-199]`,
      );
      assertEquals(many.length, 300);
      assertEquals(await curl("-k", "--http1.1", `${url}/number/7`), "7");
    }),
  { ignore, isFor: canServeHttp2 },
);

testOnEngines(
  "curl: --http2 without TLS, and to a server that does not speak it, is 1.1" +
    note,
  ({ name: engine }) =>
    withFile(async (path) => {
      await using plain = serve({ ...address, engine, routes: routes(path) });
      const version = ["--http2", "-w", " %{http_version}"];
      assertEquals(await curl(...version, `${plain.url}number/7`), "7 1.1");
      // Deno.serve answers 400 to content that comes with such an offer, and
      // speaks HTTP/2 over TLS whether asked or not.
      if (engine === "deno") return;
      assertEquals(
        await curl(...version, "-d", "a=b", `${plain.url}echo`),
        "a=b 1.1",
      );
      await using server = serve({
        ...address,
        engine,
        routes: routes(path),
        tls: entry("first"),
      });
      const url = `https://127.0.0.1:${server.port}/number/7`;
      assertEquals(await curl("-k", ...version, url), "7 1.1");
    }),
  { ignore },
);
