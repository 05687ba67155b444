import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import Bun, {
  CryptoHasher,
  env,
  file,
  gc,
  Glob,
  semver,
  serve,
  sleep,
  version,
  write,
} from "../../src/entry/bun.ts";

Deno.test("the Bun object has what the module exports", () => {
  assertEquals(Bun.serve, serve);
  assertEquals(Bun.file, file);
  assertEquals(Bun.env, env);
  assertEquals(Bun.version, version);
  assertEquals(Bun.write, write);
  assert(semver.satisfies(version, ">=1.2.0"));
});

Deno.test("env is the environment", () => {
  Deno.env.set("SHIMS_TEST", "yes");
  assertEquals(env.SHIMS_TEST, "yes");
  Deno.env.delete("SHIMS_TEST");
  assertEquals(env.SHIMS_TEST, undefined);
});

Deno.test("gc() does no harm", () => {
  gc();
  gc(true);
});

Deno.test("sleep() takes milliseconds or a moment", async () => {
  await sleep(1);
  await sleep(new Date());
  assertThrows(() => sleep("1" as unknown as number), TypeError, "string");
});

Deno.test("semver.satisfies() follows npm's ranges", () => {
  const cases: [string, string, boolean][] = [
    ["1.4.5", "^1.2.0", true],
    ["1.4.5", "~1.3", false],
    ["1.4.5", ">=1.0.0 <1.4.5 || 2", false],
    ["1.4.5", "1.2 - 1.4", true],
    ["v1.4.5", "1.x", true],
    ["1.0.0-beta", ">=0.9.0", false],
    ["1.4.5", "", true],
    ["nonsense", "*", false],
    ["1.4.5", "nonsense", false],
  ];
  for (const [version, range, expected] of cases) {
    assertEquals(semver.satisfies(version, range), expected, range);
  }
});

Deno.test("CryptoHasher hashes like Bun", () => {
  const hasher = new CryptoHasher("md5");
  hasher.update("a").update(new Uint8Array([98]));
  assertEquals(
    hasher.copy().digest("hex"),
    "187ef4436122d1cc2f40dc2b92f0eba0",
  );
  assertEquals(hasher.digest("base64"), "GH70Q2Ei0cwvQNwrkvDroA==");
  // It begins anew.
  assertEquals(hasher.digest("hex"), "d41d8cd98f00b204e9800998ecf8427e");
  assertEquals(hasher.algorithm, "md5");
  assertEquals(hasher.byteLength, 16);
  assertEquals(new CryptoHasher("SHA-256").algorithm, "sha256");
  assertEquals(
    CryptoHasher.hash("md5", "6162", "hex"),
    new CryptoHasher("md5").update("6162").digest("hex"),
  );
  assertEquals(
    new CryptoHasher("md5").update("6162", "hex").digest("hex"),
    "187ef4436122d1cc2f40dc2b92f0eba0",
  );
});

Deno.test("CryptoHasher makes HMACs, once", () => {
  const hasher = new CryptoHasher("sha256", "key").update("x");
  assertThrows(() => hasher.copy(), TypeError, "Cannot copy");
  assertEquals(
    hasher.digest("hex"),
    "4fc3b7eaf34d7e594a6f51d9517ba543abf41067b27587ffd82ba3584e4d3cdd",
  );
  assertThrows(() => hasher.update("x"), TypeError, "after its digest");
});

Deno.test("CryptoHasher writes into views", () => {
  const into = new Uint8Array(20);
  assertEquals(new CryptoHasher("md5").update("ab").digest(into), into);
  assertEquals([...into.subarray(0, 3)], [0x18, 0x7e, 0xf4]);
  assertEquals([...into.subarray(16)], [0, 0, 0, 0]);
  assertThrows(
    () => new CryptoHasher("md5").digest(new Uint8Array(15)),
    TypeError,
    "16 bytes into 15",
  );
});

Deno.test("CryptoHasher supports every algorithm that it names", () => {
  for (const algorithm of CryptoHasher.algorithms) {
    assert(CryptoHasher.hash(algorithm, "").length >= 16, algorithm);
  }
});

Deno.test("CryptoHasher refuses what it cannot hash", () => {
  const hasher = new CryptoHasher("md5");
  for (const input of [null, undefined, 1, {}, new Blob(["a"])]) {
    assertThrows(() => hasher.update(input as string), TypeError);
  }
  assertThrows(() => new CryptoHasher("nope"), TypeError, '"nope"');
  assertThrows(() => hasher.digest("utf8" as "hex"), TypeError, '"utf8"');
});

Deno.test("Glob matches like Bun", () => {
  const cases: [string, string, boolean][] = [
    ["*.ts", "a.ts", true],
    ["*.ts", ".a.ts", true],
    ["*.ts", "b/a.ts", false],
    ["**/*.ts", "a.ts", true],
    ["**/*.ts", "b/c/a.ts", true],
    ["a/**", "a", false],
    ["a/**", "a/", true],
    ["a/**", "a/b/c", true],
    ["**", "", true],
    ["**", "/a/b", true],
    ["**/", "a/", true],
    ["**/", "a", false],
    ["*/**", "a", false],
    ["**/a/**/b", "x/a/b", true],
    ["a/**/**/b", "a/b", true],
    ["a/**/c/**/d", "a/c/x/c/d", true],
    ["a/**/c/**/d", "a/x/d/c", false],
    ["a**", "a/b", false],
    ["**a", "ba", true],
    ["***", "a/b", false],
    ["a?c", "abc", true],
    ["?", "/", false],
    ["?", "😀", true],
    ["[a-c]x", "bx", true],
    ["[!a]x", "bx", true],
    ["[^a]x", "ax", false],
    ["[]a]", "]", true],
    ["[!]a]", "b", true],
    ["[\\]]", "]", true],
    ["[a-]", "-", true],
    ["[z-a]", "b", false],
    ["[😀]", "😀", true],
    ["[a", "[a", true],
    ["[a", "a", false],
    ["{a,b}.ts", "b.ts", true],
    ["{a,{b,c}}.x", "c.x", true],
    ["a{,b}", "a", true],
    ["a/{b,c}/*.ts", "a/c/x.ts", true],
    ["{a/b,c}/d", "a/b/d", true],
    ["{**/a,b}", "x/y/a", true],
    ["{a\\,b,c}", "a,b", true],
    ["\\{a\\}", "{a}", true],
    ["{a", "{a", true],
    ["a}", "a}", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a\\", "a\\", true],
    ["!a.ts", "b.ts", true],
    ["!a.ts", "a.ts", false],
    ["!!a", "a", true],
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["a/*/c", "a//c", true],
    ["*.TS", "a.ts", false],
  ];
  for (const [pattern, path, expected] of cases) {
    assertEquals(
      new Glob(pattern).match(path),
      expected,
      `${pattern} on ${path}`,
    );
  }
});

Deno.test("Glob is not kept busy by hostile patterns or paths", () => {
  const stars = "*a".repeat(2000);
  assertEquals(new Glob(stars).match("a".repeat(3999)), true);
  assertEquals(new Glob(`${stars}b`).match("a".repeat(4000)), false);
  const globstars = "**/a/".repeat(500);
  assertEquals(new Glob(`${globstars}b`).match("a/".repeat(2000)), false);
  assertThrows(() => new Glob("{a,b}".repeat(13)), RangeError, "4096");
  const unclosed = "{".repeat(100_000);
  assertEquals(new Glob(unclosed).match("{"), false);
  assertEquals(new Glob(`${unclosed}a,b}`).match("{"), false);
  assertThrows(() => new Glob(`{${"{a,b},".repeat(5000)}}`), RangeError);
});

Deno.test("Glob refuses what is no string", () => {
  assertThrows(() => new Glob(1 as unknown as string), TypeError, "number");
  assertThrows(() => new Glob("a").match(null as unknown as string), TypeError);
});

Deno.test("Glob scans directories", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const path of ["a.ts", "b/c.ts", "b/d.txt", "b/.e.ts", ".f/g.ts"]) {
      await write(`${folder}/${path}`, "");
    }
    await Deno.symlink(`${folder}/b`, `${folder}/link`);
    await Deno.symlink(folder, `${folder}/b/loop`);
    const scan = async (pattern: string, options = {}) => {
      const found = new Glob(pattern).scan({ cwd: folder, ...options });
      const sync = new Glob(pattern).scanSync({ cwd: folder, ...options });
      const paths = (await Array.fromAsync(found)).sort();
      assertEquals([...sync].sort(), paths);
      return paths;
    };
    assertEquals(await scan("*.ts"), ["a.ts"]);
    assertEquals(await scan("**/*.ts"), ["a.ts", "b/c.ts"]);
    assertEquals(await scan("**/*.ts", { dot: true }), [
      ".f/g.ts",
      "a.ts",
      "b/.e.ts",
      "b/c.ts",
    ]);
    assertEquals(await scan(".f/*"), [".f/g.ts"]);
    assertEquals(await scan("b", { onlyFiles: false }), ["b"]);
    assertEquals(await scan("b"), []);
    assertEquals(await scan("b/*.ts", { absolute: true }), [
      `${folder}/b/c.ts`,
    ]);
    assertEquals(await scan("link/*.ts", { followSymlinks: true }), [
      "link/c.ts",
    ]);
    // The loop of links ends.
    assertEquals(await scan("**/c.ts", { followSymlinks: true }), [
      "b/c.ts",
      "link/c.ts",
    ]);
    const inMissing = new Glob("*").scan(`${folder}/missing`);
    const error = await assertRejects(() => Array.fromAsync(inMissing), Error);
    assertEquals((error as { code?: string }).code, "ENOENT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("write() writes whatever it is given", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/deep/down/file.txt`;
    const contents: [Parameters<typeof write>[1], string][] = [
      ["héllo", "héllo"],
      [new Uint8Array([65, 66]), "AB"],
      [new Uint8Array([65, 66]).buffer, "AB"],
      [new Blob(["blob"]), "blob"],
      [new Response("response"), "response"],
      [new Response(null), ""],
      [["pieces ", new Blob(["of it"])], "pieces of it"],
      ["", ""],
    ];
    for (const [content, expected] of contents) {
      assertEquals(
        await write(path, content),
        new TextEncoder().encode(expected).length,
      );
      assertEquals(await Deno.readTextFile(path), expected);
    }
    await write(path, "source");
    assertEquals(await write(file(`${folder}/copy`), file(path)), 6);
    assertEquals(await write(new URL(`file://${folder}/url`), "x"), 1);
    await write(`${folder}/secret`, "x");
    await write(`${folder}/secret`, "xy", { mode: 0o600 });
    assertEquals(await Deno.readTextFile(`${folder}/secret`), "xy");
    assertEquals((await Deno.stat(`${folder}/secret`)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("write() refuses what it cannot write", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const used = new Response("a");
    await used.text();
    const path = `${folder}/file`;
    for (const content of [used, null, 5, { a: 1 }]) {
      await assertRejects(
        () => write(path, content as unknown as string),
        TypeError,
      );
    }
    const inMissing = () =>
      write(`${folder}/missing/file`, "a", { createPath: false });
    const error = await assertRejects(inMissing, Error);
    assertEquals((error as { code?: string }).code, "ENOENT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
