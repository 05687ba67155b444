import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArguments, UsageError } from "../../src/entry/cli_arguments.ts";
import { repository, RunningProgram } from "./running_program.ts";

/** A temporary folder with the given files. */
async function folderWith(
  files: Record<string, string>,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, content);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function cli(cwd: string, ...args: string[]): RunningProgram {
  return new RunningProgram({
    args: [
      "run",
      "-A",
      `--config=${repository}deno.json`,
      `${repository}src/entry/cli.ts`,
      ...args,
    ],
    cwd,
  });
}

async function text(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

const helloModule = `export default {
  port: 1, // taken over by the command line
  hostname: "localhost",
  fetch: () => new Response("hello"),
};`;

Deno.test("the command line overrides where a module listens", async () => {
  await using folder = await folderWith({ "server.ts": helloModule });
  await using program = cli(
    folder.path,
    "server.ts",
    "--port=0",
    "--hostname",
    "127.0.0.1",
  );
  assertEquals(await text(await program.url()), "hello");
  assertStringIncludes(program.output, "http://127.0.0.1:");
});

Deno.test("a default export may be an application with private state", async () => {
  await using folder = await folderWith({
    "app.ts": `class Application {
      #greeting = "private";
      get fetch() {
        const greeting = this.#greeting;
        return () => new Response(greeting);
      }
    }
    export default new Application();`,
  });
  await using program = cli(folder.path, "app.ts", "--port", "0");
  assertEquals(await text(await program.url()), "private");
});

Deno.test("signals stop the command gracefully, with exit code 0", async () => {
  await using folder = await folderWith({
    "server.ts": `export default {
      async fetch() {
        console.log("began");
        await new Promise((resolve) => setTimeout(resolve, 300));
        return new Response("finished");
      },
    };`,
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using program = cli(folder.path, "server.ts");
    const answer = text(await program.url());
    await program.printed("began");
    program.kill(signal);
    assertEquals(await answer, "finished");
    assertEquals(await program.exitCode(), 0);
  }
});

Deno.test("a second signal does not wait for requests in flight", async () => {
  await using folder = await folderWith({
    "server.ts": `export default {
      fetch() {
        console.log("began");
        return new Promise(() => {});
      },
      idleTimeout: 0,
    };`,
  });
  await using program = cli(folder.path, "server.ts");
  const answer = fetch(await program.url()).then(
    (response) => response.body?.cancel(),
    () => {},
  );
  await program.printed("began");
  program.kill("SIGINT");
  program.kill("SIGTERM");
  await answer;
  assertEquals(await program.exitCode(), 0);
});

Deno.test("--hot reloads handlers, imports included, on one connection", async () => {
  await using folder = await folderWith({
    "message.ts": `export const message: string = "one";`,
    "server.ts": `import { message } from "./message.ts";
      export default {
        routes: { "/route": () => new Response("route " + message) },
        fetch: () => new Response(message),
      };`,
  });
  const module = `${folder.path}/server.ts`;
  const imported = `${folder.path}/message.ts`;
  await using program = cli(folder.path, "server.ts", "--hot");
  const { port } = new URL(await program.url());
  using connection = await Deno.connect({ port: Number(port) });
  const ask = (path: string) => askOn(connection, path);
  const reloads = (count: number) => program.printed("Reloaded", count);

  assertEquals(await ask("/route"), "route one");

  await Deno.writeTextFile(imported, `export const message = "two";`);
  await reloads(1);
  assertEquals(await ask("/route"), "route two");

  // Many editors replace a file by another one.
  await Deno.writeTextFile(`${imported}~`, `export const message = "three";`);
  await Deno.rename(`${imported}~`, imported);
  await reloads(2);
  assertEquals(await ask("/"), "three");

  // A route that is gone from the module is gone from the server.
  await Deno.writeTextFile(
    module,
    `export default { fetch: () => new Response("rest") };`,
  );
  await reloads(3);
  assertEquals(await ask("/route"), "rest");
});

Deno.test("--hot keeps the old handlers when a module is broken", async () => {
  await using folder = await folderWith({ "server.ts": helloModule });
  const module = `${folder.path}/server.ts`;
  await using program = cli(folder.path, "server.ts", "--port=0", "--hot");
  const url = await program.url();

  const broken = [
    "export default {",
    "throw new Error('at the top')",
    "export default { no: 'handlers' }",
    "export default { routes: { bad: 1 } }",
    "import './missing.ts'; export default { fetch() {} }",
  ];
  for (const [index, content] of broken.entries()) {
    await Deno.writeTextFile(module, content);
    await program.printed("Cannot reload", index + 1);
    assertEquals(await text(url), "hello");
  }
  assertStringIncludes(program.output, "at the top");

  await Deno.writeTextFile(module, helloModule.replace("hello", "mended"));
  await program.printed("Reloaded");
  assertEquals(await text(url), "mended");
});

Deno.test("the command fails with a message and exit code 1 or 2", async () => {
  await using folder = await folderWith({
    "nothing.ts": "export const x = 1;",
    "server.ts": `import { serve } from "@jstime/serve";
      const server = serve({ port: 0, fetch: () => new Response() });
      server.unref();
      export default server;`,
    "broken.ts": "throw new Error('at the top');",
  });
  const cases: [string[], number, string][] = [
    [["nothing.ts"], 1, "expected a default export with fetch or routes"],
    [["server.ts"], 1, "expected a default export with fetch or routes"],
    [["broken.ts"], 1, "at the top"],
    [["missing.ts"], 1, "missing.ts"],
    [[], 2, "Usage:"],
    [["--help"], 0, "Usage:"],
  ];
  for (const [args, code, message] of cases) {
    await using program = cli(folder.path, ...args);
    assertEquals(await program.exitCode(), code, args.join(" "));
    assertStringIncludes(program.output, message);
  }
});

Deno.test("parseArguments() reads options before and after the module", () => {
  const none = { overrides: {}, hot: false, help: false };
  assertEquals(parseArguments(["a.ts"]), { ...none, module: "a.ts" });
  assertEquals(parseArguments(["--hot", "a.ts", "--port", "0"]), {
    ...none,
    module: "a.ts",
    overrides: { port: "0" },
    hot: true,
  });
  assertEquals(parseArguments(["--hostname=::1", "--port=65535", "a.ts"]), {
    ...none,
    module: "a.ts",
    overrides: { port: "65535", hostname: "::1" },
  });
  assert(parseArguments(["-h"]).help);
});

Deno.test("parseArguments() names what it does not understand", () => {
  const cases: [string[], string][] = [
    [[], "expected a module"],
    [["a.ts", "b.ts"], '"b.ts"'],
    [["a.ts", "--bogus"], '"--bogus"'],
    [["a.ts", "-p"], '"-p"'],
    [["a.ts", "--port"], "port (missing)"],
    [["a.ts", "--port="], "expected an integer"],
    [["a.ts", "--port", "65536"], "port 65536"],
    [["a.ts", "--port=-1"], "port -1"],
    [["a.ts", "--port", "80x"], "port 80x"],
    [["a.ts", "--hostname"], "hostname (missing)"],
    [["a.ts", "--hostname", "--hot"], "hostname --hot"],
    [["a.ts", "--hot=yes"], '--hot to "yes"'],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => parseArguments(args), UsageError, message);
  }
});

/** One request on a connection that stays open. */
async function askOn(connection: Deno.TcpConn, path: string): Promise<string> {
  const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(4096);
  let received = "";
  while (true) {
    const match = /^content-length: (\d+)\r\n(?:[^]*?\r\n)?\r\n([^]*)/im.exec(
      received,
    );
    if (match !== null && match[2]!.length === Number(match[1])) {
      return match[2]!;
    }
    const count = await connection.read(buffer);
    if (count === null) throw new Error("The connection was closed");
    received += new TextDecoder().decode(buffer.subarray(0, count));
  }
}
