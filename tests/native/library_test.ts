import { assert, assertEquals } from "@std/assert";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  CachedDownload,
  downloadsDone,
} from "../../src/engine/native/cached_download.ts";
import { digestOf } from "../../src/engine/native/file_digest.ts";
import {
  findLibrary,
  libraryFileName,
  type NoLibrary,
  platformName,
} from "../../src/engine/native/library_path.ts";

const content = new TextEncoder().encode("not really a library");
const digest = digestOf(content);

async function withDirectory(
  use: (path: string) => Promise<void> | void,
): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "jstime_library_" });
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

function find(
  base: URL,
  digests: Record<string, string>,
  platform: string | undefined = "linux-x64",
): string | NoLibrary {
  return findLibrary({ given: undefined, platform, base, digests });
}

const platforms: [os: string, arch: string, name: string | undefined][] = [
  ["linux", "x86_64", "linux-x64"],
  ["linux", "aarch64", "linux-arm64"],
  ["darwin", "aarch64", "darwin-arm64"],
  ["windows", "x86_64", undefined],
  ["linux", "riscv64", undefined],
];
for (const [os, arch, name] of platforms) {
  Deno.test(`the platform of ${os} ${arch}`, () => {
    assertEquals(platformName({ os, arch }), name);
  });
}

Deno.test("libraries are named as the platform names them", () => {
  assertEquals(libraryFileName("linux-arm64"), "libjstime_serve.so");
  assertEquals(libraryFileName("darwin-x64"), "libjstime_serve.dylib");
});

Deno.test("a file that is what was built is found", () =>
  withDirectory(async (path) => {
    const base = pathToFileURL(`${path}/`);
    const library = `${path}/linux-x64/libjstime_serve.so`;
    await Deno.mkdir(`${path}/linux-x64`);
    const digests = { "linux-x64": digest };
    assertEquals(find(base, digests), {
      reason: "its helper is not there",
      isFault: false,
    });
    await Deno.writeFile(library, content);
    assertEquals(find(base, digests), library);
    await Deno.writeTextFile(library, "something else");
    assertEquals(find(base, digests), {
      reason: `${library} is not the helper that was built`,
      isFault: true,
    });
  }));

Deno.test("platforms that nothing was built for have no library", () => {
  const base = new URL("file:///nowhere/");
  for (const platform of [undefined, "linux-x64"]) {
    const given = "";
    const search = { given, platform, base, digests: {} };
    const found = findLibrary(search) as NoLibrary;
    assert(found.reason.startsWith("there is no helper for "));
    assertEquals(found.isFault, false);
  }
});

Deno.test("a library that was named is taken as it is", () => {
  const given = "/somewhere/else.so";
  const base = new URL("file:///nowhere/");
  const search = { given, platform: undefined, base, digests: {} };
  assertEquals(findLibrary(search), given);
});

/** A server with one file, which counts how often it was asked for it. */
function serveContent(
  bytes: Uint8Array<ArrayBuffer>,
  status = 200,
): { url: URL; count: () => number; stop: () => Promise<void> } {
  let count = 0;
  const server = Deno.serve({ port: 0, onListen: () => {} }, () => {
    count++;
    return new Response(bytes, { status });
  });
  const { port } = server.addr as Deno.NetAddr;
  return {
    url: new URL(`http://127.0.0.1:${port}/library`),
    count: () => count,
    stop: () => server.shutdown(),
  };
}

Deno.test("a download is there for the next time, and checked each time", () =>
  withDirectory(async (path) => {
    const server = serveContent(content);
    const cache = `${path}/new/cache`;
    const download = new CachedDownload(server.url, digest);
    const expected = {
      reason: "its helper is being downloaded",
      isFault: false,
    };
    assertEquals(download.find(cache), expected);
    assertEquals(download.find(cache), expected);
    await downloadsDone();
    assertEquals(server.count(), 1);
    const library = download.find(cache);
    assertEquals(library, `${cache}/${digest}`);
    assertEquals(await Deno.readFile(library as string), content);
    // Nothing else is left behind.
    assertEquals((await Array.fromAsync(Deno.readDir(cache))).length, 1);
    await Deno.writeTextFile(library as string, "changed");
    assertEquals(download.find(cache), expected);
    await downloadsDone();
    assertEquals(download.find(cache), library);
    await server.stop();
  }));

for (
  const [name, bytes, status] of [
    ["is not what was built", new TextEncoder().encode("other"), 200],
    ["fails", content, 404],
  ] as const
) {
  Deno.test(`a download that ${name} is not kept`, () =>
    withDirectory(async (path) => {
      const warnings: unknown[] = [];
      const { warn } = console;
      console.warn = (...values) => warnings.push(values.join(" "));
      const server = serveContent(bytes, status);
      try {
        const download = new CachedDownload(server.url, digest);
        download.find(path);
        await downloadsDone();
        assertEquals(await Array.fromAsync(Deno.readDir(path)), []);
        assertEquals(warnings.length, 1);
      } finally {
        console.warn = warn;
        await server.stop();
      }
    }));
}

const probe = fileURLToPath(new URL("./engine_probe.ts", import.meta.url));

/** What a program says about the native engine that has these permissions. */
async function askProbe(
  permissions: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...permissions, probe],
    env,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout.length > 0 ? stdout : stderr).trim();
}

for (
  const [permissions, reason] of [
    [[], "it needs `--allow-ffi`"],
    [["--allow-net"], "it needs `--allow-ffi`"],
    [["--allow-net", "--allow-ffi=/tmp"], "it needs `--allow-ffi`"],
    [["--allow-ffi"], "it needs `--allow-net` without a list"],
    [
      ["--allow-ffi", "--allow-net=127.0.0.1"],
      "it needs `--allow-net` without a list",
    ],
  ] as const
) {
  Deno.test(`with [${permissions.join(" ")}] nobody is asked`, async () => {
    assertEquals(await askProbe(permissions), reason);
  });
}

Deno.test("a library that does not load is a fault", async () => {
  const all = ["--allow-ffi", "--allow-net", "--allow-env"];
  const said = await askProbe(all, { JSTIME_NATIVE_LIBRARY: probe });
  assert(said.startsWith("fault: "), said);
});
