import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CachedFile, FileCache } from "../../src/engine/deno/file_cache.ts";
import { openFile } from "../../src/runtime/file_system.ts";

/** A directory of files that seem to be a minute old, as `opened` paths show. */
async function withCache(
  run: (context: {
    cache: FileCache;
    opened: string[];
    write(name: string, content: string | Uint8Array): string;
  }) => void | Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const opened: string[] = [];
  const cache = new FileCache((path) => {
    opened.push(path);
    return openFile(path);
  }, { now: () => Date.now() + 60_000 });
  try {
    await run({
      cache,
      opened,
      write(name, content) {
        const path = join(directory, name);
        const bytes = typeof content === "string"
          ? new TextEncoder().encode(content)
          : content;
        Deno.writeFileSync(path, bytes);
        return path;
      },
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function textOf(cache: FileCache, path: string): Promise<string> {
  const file = cache.open(path);
  const bytes = new Uint8Array(file.info.size);
  const count = await file.read(bytes, 0);
  file.close();
  return new TextDecoder().decode(bytes.subarray(0, count));
}

Deno.test("FileCache opens an unchanged file once", () =>
  withCache(async ({ cache, opened, write }) => {
    const path = write("a", "one");
    for (let time = 0; time < 3; time++) {
      assertEquals(await textOf(cache, path), "one");
    }
    assertEquals(opened, [path]);
    assertInstanceOf(cache.open(path), CachedFile);
  }));

Deno.test("FileCache notices every kind of change", () =>
  withCache(async ({ cache, write }) => {
    const path = write("a", "one");
    const { mtime } = Deno.statSync(path);
    assertEquals(await textOf(cache, path), "one");

    // The same length and modification time: only `ctime` tells, which Deno
    // gives in whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    write("a", "two");
    Deno.utimeSync(path, mtime!, mtime!);
    assertEquals(await textOf(cache, path), "two");

    write("b", "three");
    Deno.renameSync(join(path, "../b"), path);
    assertEquals(await textOf(cache, path), "three");

    Deno.removeSync(path);
    assertThrows(() => cache.open(path), Error, "ENOENT");
  }));

Deno.test("FileCache keeps no file that has just changed", async () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, "fresh");
    const file = new FileCache(openFile).open(path);
    file.close();
    assertEquals(file instanceof CachedFile, false);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("FileCache keeps neither large, empty nor special files", () =>
  withCache(({ cache, write }) => {
    const paths = [
      write("large", new Uint8Array(256 * 1024 + 1)),
      write("empty", ""),
      join(write("c", ""), ".."),
    ];
    for (const path of paths) {
      const file = cache.open(path);
      assertEquals(file instanceof CachedFile, false, path);
      file.close();
    }
  }));

Deno.test("FileCache lets go of the files used longest ago", () =>
  withCache(({ cache, opened, write }) => {
    const paths = Array.from(
      { length: 70 },
      (_, index) =>
        write(String(index), new Uint8Array(256 * 1024).fill(index)),
    );
    for (const path of paths) cache.open(path).close();
    opened.length = 0;
    cache.open(paths.at(-1)!).close();
    cache.open(paths[0]!).close();
    assertEquals(opened, [paths[0]!]);
  }));

Deno.test("CachedFile reads like a file", () =>
  withCache(async ({ cache, write }) => {
    const file = cache.open(write("a", "hello"));
    const buffer = new Uint8Array(3);
    assertEquals(file.readSync(buffer, 3), 2);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, 2)), "lo");
    assertEquals(file.readSync(buffer, 5), 0);
    assertInstanceOf(file, CachedFile);
    for (let time = 0; time < 2; time++) {
      assertEquals(await file.toResponse().text(), "hello");
    }
  }));
