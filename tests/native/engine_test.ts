import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Answer } from "../../src/engine/engine.ts";
import { digestOf } from "../../src/engine/native/file_digest.ts";
import { listen, nativeTest, plan } from "./native_fixture.ts";

const hello = () => new Response("hello");

nativeTest("requests are answered", async (engine) => {
  const [listener, url] = listen(
    engine,
    async (request, exchange) =>
      Response.json([
        request.method,
        exchange.path,
        request.headers.get("x-a"),
        await request.text(),
        exchange.remoteAddress()?.address,
      ]),
  );
  const response = await fetch(`${url}/a?b`, {
    method: "PUT",
    headers: { "x-a": "c" },
    body: "content",
  });
  assertEquals(response.status, 200);
  assertEquals(await response.json(), [
    ...["PUT", "/a", "c", "content", "127.0.0.1"],
  ]);
  await listener.stop(true);
});

nativeTest("uploads and downloads of several mebibytes", async (engine) => {
  const content = new Uint8Array(5 * 2 ** 20);
  for (let index = 0; index < content.length; index++) content[index] = index;
  const [listener, url] = listen(
    engine,
    async (request, exchange): Promise<Answer> => {
      if (exchange.path === "/gather") {
        return new Response(await request.bytes());
      }
      const reader = request.body!.getReader();
      return {
        kind: "stream",
        status: 200,
        headers: new Headers(),
        source: {
          read: async () => (await reader.read()).value,
          cancel: () => {},
        },
      };
    },
    { maxRequestBodySize: 10 * 2 ** 20 },
  );
  for (const path of ["/gather", "/stream"]) {
    const response = await fetch(url + path, { method: "POST", body: content });
    // Comparing so much by `assertEquals` takes seconds.
    assertEquals(digestOf(await response.bytes()), digestOf(content));
  }
  await listener.stop(true);
});

nativeTest("servers come and go while others serve", async (engine) => {
  const [first, firstUrl] = listen(engine, () => new Response("first"));
  const [second, secondUrl] = listen(engine, () => new Response("second"));
  assertEquals(await (await fetch(firstUrl)).text(), "first");
  assertEquals(await (await fetch(secondUrl)).text(), "second");
  await first.stop(true);
  assertEquals(await (await fetch(secondUrl)).text(), "second");
  await assertRejects(() => fetch(firstUrl));
  const [third, thirdUrl] = listen(engine, () => new Response("third"));
  assertEquals(await (await fetch(thirdUrl)).text(), "third");
  await Promise.all([second.stop(true), third.stop(true)]);
});

nativeTest(
  "stopping waits for answers, unless it is forced",
  async (engine) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const arrived = Promise.withResolvers<void>();
    const [listener, url] = listen(engine, () => {
      arrived.resolve();
      return promise;
    });
    const response = fetch(url);
    await arrived.promise;
    assertEquals(listener.pendingRequests, 1);
    let hasStopped = false;
    const stopped = listener.stop(false).then(() => hasStopped = true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(hasStopped, false);
    resolve(new Response("late"));
    assertEquals(await (await response).text(), "late");
    await stopped;
    await listener.stop(true);
    assertEquals(listener.pendingRequests, 0);
    assertEquals(listener.metrics().requests, 1);
    assertEquals(listener.closeIdleConnections(), 0);
  },
);

nativeTest("a forced stop cuts what is pending, also later", async (engine) => {
  const arrived = Promise.withResolvers<void>();
  let gone = 0;
  const [listener, url] = listen(engine, (_, exchange) => {
    exchange.onClientGone(() => gone++);
    arrived.resolve();
    return new Promise(() => {});
  });
  const response = assertRejects(() => fetch(url));
  await arrived.promise;
  const stopped = listener.stop(false);
  await listener.stop(true);
  await stopped;
  await response;
  assertEquals(gone, 1);
});

nativeTest("idle connections can be closed", async (engine) => {
  const [listener] = listen(engine, hello);
  const { address } = listener;
  assert(address.transport === "tcp");
  const connection = await Deno.connect(address);
  await connection.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  );
  const buffer = new Uint8Array(1024);
  assert(await connection.read(buffer) !== null);
  assertEquals(listener.closeIdleConnections(), 1);
  assertEquals(await connection.read(buffer), null);
  connection.close();
  await listener.stop(true);
});

nativeTest("a port that is taken", async (engine) => {
  const [listener] = listen(engine, hello);
  const error = assertThrows(
    () => engine.listenHttp({ ...plan, address: listener.address }, hello),
    Error,
    "address already in use",
  ) as Error & { code?: string; syscall?: string };
  assertEquals(error.code, "EADDRINUSE");
  assertEquals(error.syscall, "listen");
  await listener.stop(true);
});

nativeTest("Unix sockets, by path and by abstract name", async (engine) => {
  const directory = await Deno.makeTempDir({ prefix: "jstime_native_" });
  for (
    const path of [`${directory}/socket`, `\0jstime-${crypto.randomUUID()}`]
  ) {
    const address = { transport: "unix", path } as const;
    const [listener] = listen(
      engine,
      (request, exchange) =>
        Response.json([request.url, exchange.remoteAddress()]),
      { address },
    );
    assertEquals(listener.address, address);
    const connection = await Deno.connect(address);
    await connection.write(
      new TextEncoder().encode("GET /a HTTP/1.0\r\n\r\n"),
    );
    const answer = await new Response(connection.readable).text();
    assert(answer.endsWith('["http://localhost/a",null]'), answer);
    await listener.stop(true);
  }
  await Deno.remove(directory, { recursive: true });
});

nativeTest("static answers, and other ones in their place", async (engine) => {
  const [listener, url] = listen(engine, hello);
  const entry = (text: string) => ({
    path: "/static",
    methods: undefined,
    status: 200,
    headers: new Headers({ "x-a": text }),
    content: {
      kind: "content",
      bytes: new TextEncoder().encode(text),
      notModified: undefined,
    },
  } as const);
  for (const text of ["one", "two"]) {
    listener.setStatic([entry(text)]);
    const response = await fetch(`${url}/static`);
    assertEquals(response.headers.get("x-a"), text);
    assertEquals(await response.text(), text);
  }
  assertEquals(listener.metrics().requestsNative, 2);
  listener.setStatic([]);
  assertEquals(await (await fetch(`${url}/static`)).text(), "hello");
  await listener.stop(true);
});

nativeTest("files are opened, looked at, read and sent", async (engine) => {
  const directory = await Deno.makeTempDir({ prefix: "jstime_native_" });
  const path = `${directory}/ä.txt`;
  await Deno.writeTextFile(path, "0123456789");
  const modified = new Date(Date.UTC(2020, 0, 1));
  await Deno.utime(path, modified, modified);
  const file = engine.openFile(path);
  assertEquals(file.info.size, 10);
  assertEquals(file.info.modified, modified.getTime());
  assertEquals(file.info.isFile, true);
  const { dev, ino } = await Deno.stat(path);
  assertEquals([file.info.device, file.info.inode], [dev, ino]);
  const buffer = new Uint8Array(4);
  assertEquals(file.readSync(buffer, 8), 2);
  assertEquals(await file.read(buffer, 3), 4);
  assertEquals(new TextDecoder().decode(buffer), "3456");
  assertEquals(await file.read(buffer, 100), 0);
  assertEquals(file.hasChanged(), false);
  const [listener, url] = listen(engine, () => ({
    kind: "file",
    status: 200,
    headers: new Headers({ "x-a": "b" }),
    file,
    start: 2,
    end: 5,
    headOnly: false,
  }));
  const response = await fetch(url);
  assertEquals(response.headers.get("content-length"), "3");
  assertEquals(await response.text(), "234");
  await listener.stop(true);
  file.close();
  assertThrows(() => file.readSync(buffer, 0), Error, "EBADF");
  await assertRejects(() => file.read(buffer, 0), Error, "EBADF");
  await Deno.remove(directory, { recursive: true });
});

nativeTest("a file that is closed while it is read", async (engine) => {
  const file = engine.openFile(fileURLToPath(import.meta.url));
  const buffers = [new Uint8Array(6), new Uint8Array(6)];
  const reads = buffers.map((buffer) => file.read(buffer, 0));
  file.close();
  file.close();
  assertEquals(await Promise.all(reads), [6, 6]);
  assertEquals(new TextDecoder().decode(buffers[1]), "import");
});

nativeTest("a file that changes says so", async (engine) => {
  const path = await Deno.makeTempFile();
  const file = engine.openFile(path);
  assertEquals(file.hasChanged(), false);
  await Deno.writeTextFile(path, "more");
  assertEquals(file.hasChanged(), true);
  file.close();
  await Deno.remove(path);
});

nativeTest("what cannot be opened says why", async (engine) => {
  const directory = await Deno.makeTempDir({ prefix: "jstime_native_" });
  const pipe = `${directory}/pipe`;
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  await Deno.symlink("loop", `${directory}/loop`);
  for (
    const [path, code] of [
      [`${directory}/missing`, "ENOENT"],
      ["", "ENOENT"],
      [`${directory}/pipe/a`, "ENOTDIR"],
      [`${directory}/loop`, "ELOOP"],
      [`/${"a".repeat(5000)}`, "ENAMETOOLONG"],
      [pipe, "EINVAL"],
      ["/dev/null", "EINVAL"],
    ]
  ) {
    const error = assertThrows(() => engine.openFile(path!), Error) as
      & Error
      & { code?: string; syscall?: string; path?: string };
    assertEquals(error.code, code);
    assertEquals(error.syscall, "open");
    assertEquals(error.path, path);
  }
  assertThrows(() => engine.openFile("a\0b"));
  const opened = engine.openFile(directory);
  assertEquals(opened.info.isFile, false);
  opened.close();
  await Deno.remove(directory, { recursive: true });
});

/** Runs a program in a process of its own; what it says. */
async function runProgram(
  program: string,
  permissions: string[] = ["-A"],
): Promise<{ code: number; text: string }> {
  const engine = new URL("../../src/engine/native/engine.ts", import.meta.url);
  const fixture = new URL("./native_fixture.ts", import.meta.url);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    path,
    `import { loadNativeEngine } from ${JSON.stringify(engine.href)};
    import { listen, plan } from ${JSON.stringify(fixture.href)};
    const engine = loadNativeEngine()!;
    const hello = () => new Response("hello");
    ${program}`,
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", ...permissions, path],
    stdin: "null",
  }).output();
  await Deno.remove(path);
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, text: text.join("").trim() };
}

nativeTest("a process ends though it listens, if it may", async () => {
  const { code, text } = await runProgram(`
    const [listener, url] = listen(engine, hello);
    listener.unref();
    console.log(await (await fetch(url)).text());
  `);
  assertEquals([code, text], [0, "hello"]);
});

nativeTest("a process ends after all was stopped, and not before", async () => {
  const { code, text } = await runProgram(`
    const [listener, url] = listen(engine, hello);
    listener.unref();
    listener.ref();
    setTimeout(async () => {
      console.log(await (await fetch(url)).text());
      await listener.stop(true);
      console.log("stopped");
    }, 50);
  `);
  assertEquals([code, text], [0, "hello\nstopped"]);
});

nativeTest(
  "waiting for the stop of what may end keeps the process",
  async () => {
    const { code, text } = await runProgram(`
    const [listener] = listen(engine, hello);
    listener.unref();
    await listener.stop(false);
    console.log("stopped");
  `);
    assertEquals([code, text], [0, "stopped"]);
  },
);

nativeTest("a Worker that is terminated takes its server along", async () => {
  const { code, text } = await runProgram(`
    import { resources } from ${
    JSON.stringify(new URL("./native_fixture.ts", import.meta.url).href)
  };
    if (typeof WorkerGlobalScope !== "undefined") {
      const [, url] = listen(engine, hello);
      self.postMessage(url);
    } else {
      const [listener, ownUrl] = listen(engine, hello);
      let before;
      for (let count = 0; count < 5; count++) {
        if (count === 1) before = resources().threads;
        const worker = new Worker(import.meta.url, { type: "module" });
        const url = await new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
        });
        await (await fetch(url)).text();
        worker.terminate();
        while (await fetch(url).then((r) => r.text(), () => "") !== "") {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
      console.log(await (await fetch(ownUrl)).text());
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(resources().threads <= before + 1);
      await listener.stop(true);
    }
  `);
  assertEquals([code, text], [0, "hello\ntrue"]);
});

nativeTest("several I/O threads share the connections", async () => {
  const { code, text } = await runProgram(`
    Deno.env.set("JSTIME_IO_THREADS", "3");
    const [listener] = listen(engine, async (request) => {
      await null;
      return new Response(await request.text());
    });
    const ask = async (count) => {
      const connection = await Deno.connect(listener.address);
      const body = "x".repeat(count * 5000);
      const head = "POST / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n" +
        "Content-Length: " + body.length + "\\r\\n\\r\\n";
      const bytes = new TextEncoder().encode(head + body);
      const sending = (async () => {
        for (let at = 0; at < bytes.length;) {
          at += await connection.write(bytes.subarray(at));
        }
      })();
      const answer = await new Response(connection.readable).text();
      await sending;
      return answer.endsWith("\\r\\n\\r\\n" + body);
    };
    const all = await Promise.all(Array.from({ length: 30 }, (_, at) => ask(at)));
    console.log(all.every((isRight) => isRight), listener.metrics().requests);
    await listener.stop(false);
    console.log("stopped");
  `);
  assertEquals([code, text], [0, "true 30\nstopped"]);
});

nativeTest("files need Deno's permission to be read", async () => {
  const directory = await Deno.makeTempDir({ prefix: "jstime_native_" });
  await Deno.writeTextFile(`${directory}/a`, "a");
  const { code, text } = await runProgram(
    `
    console.log(engine.openFile(${JSON.stringify(`${directory}/a`)}).info.size);
    try {
      engine.openFile("/etc/hosts");
    } catch (error) {
      console.log(error.name);
    }
  `,
    [
      ...["--allow-ffi", "--allow-net", "--allow-env", "--allow-sys"],
      `--allow-read=${directory}`,
    ],
  );
  assertEquals([code, text], [0, "1\nNotCapable"]);
  await Deno.remove(directory, { recursive: true });
});

nativeTest("Unix sockets need Deno's permission for their path", async () => {
  const { code, text } = await runProgram(
    `
    try {
      listen(engine, hello, {
        address: { transport: "unix", path: "/tmp/jstime-never" },
      });
    } catch (error) {
      console.log(error.cause?.name ?? error);
      console.log(error.message);
    }
  `,
    ["--allow-ffi", "--allow-net", "--allow-env", "--allow-read"],
  );
  assertEquals([code, text], [
    0,
    "NotCapable\n" +
    'Cannot listen on "/tmp/jstime-never": Requires write access to ' +
    "/tmp/jstime-never, run again with the --allow-write flag",
  ]);
});

nativeTest("plans that are for another engine", (engine) => {
  assertEquals(engine.unable(plan), undefined);
  const certificate = { cert: "", key: "", serverName: undefined };
  const tls = { certificates: [certificate], isList: false } as const;
  assert(engine.unable({ ...plan, tls })?.includes("certificate"));
});
