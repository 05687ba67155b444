import { assert, assertEquals } from "@std/assert";
import { repository, RunningProgram } from "./running_program.ts";

const importAuto = `import "${repository}src/entry/auto.ts";`;

async function withModule(
  content: string,
  ask: (program: RunningProgram) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, content);
    await using program = new RunningProgram({
      args: ["run", "-A", `--config=${repository}deno.json`, path],
    });
    await ask(program);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("./auto serves the default export of the main module", async () => {
  await withModule(
    `${importAuto}
    export default { fetch: () => new Response("auto") };`,
    async (program) => {
      const response = await fetch(await program.url());
      assertEquals(await response.text(), "auto");
    },
  );
});

Deno.test("./auto waits until the main module is loaded", async () => {
  await withModule(
    `${importAuto}
    let ready = false;
    export default { fetch: () => new Response(String(ready)) };
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log("loaded");
    ready = true;`,
    async (program) => {
      const response = await fetch(await program.url());
      assertEquals(await response.text(), "true");
      assert(/loaded[^]*Listening/.test(program.output), program.output);
    },
  );
});

Deno.test("./auto does nothing without such a default export", async () => {
  for (
    const content of [
      `console.log("done");`,
      `console.log("done"); export default 42;`,
      `console.log("done"); export default { routes: null };`,
      `console.log("done"); export default null;`,
    ]
  ) {
    await withModule(`${importAuto}\n${content}`, async (program) => {
      assertEquals(await program.exitCode(), 0, content);
      assertEquals(program.output, "done\n", content);
    });
  }
});

Deno.test("./auto leaves a running server alone", async () => {
  await withModule(
    `${importAuto}
    import { serve } from "@jstime/serve";
    const server = serve({ fetch: () => new Response() });
    console.log("one");
    setTimeout(() => server.stop(), 100);
    export default server;`,
    async (program) => {
      assertEquals(await program.exitCode(), 0);
      assert(!program.output.includes("Listening"), program.output);
    },
  );
});

Deno.test("./auto reports a main module that fails once", async () => {
  await withModule(
    `${importAuto}
    export default { fetch() {} };
    throw new Error("at the top");`,
    async (program) => {
      assertEquals(await program.exitCode(), 1);
      assertEquals(program.output.split("at the top").length, 2 + 1);
    },
  );
});

Deno.test("./auto ends the program when it cannot serve", async () => {
  await withModule(
    `${importAuto}
    export default { port: 70000, fetch() {} };`,
    async (program) => {
      assertEquals(await program.exitCode(), 1);
      assert(program.output.includes("70000"), program.output);
    },
  );
});
