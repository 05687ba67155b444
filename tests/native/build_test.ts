import { assert, assertEquals } from "@std/assert";
import { ABI } from "../../src/engine/native/abi.ts";
import {
  compareVersions,
  type Digests,
  digestsModule,
  LIBRARIES,
  neededGlibc,
  sourceFiles,
  sourcesDigest,
} from "../../src/engine/native/build.ts";
import {
  builtAbi,
  builtSources,
  digests,
} from "../../src/engine/native/digests.ts";
import { digestOf } from "../../src/engine/native/file_digest.ts";
import { libraryFileName } from "../../src/engine/native/library_path.ts";

const AGAIN = "The helper was changed and not built: run `deno task build`";

Deno.test("the library was built from these sources", () => {
  assertEquals(builtAbi, ABI, AGAIN);
  assertEquals(builtSources, sourcesDigest(), AGAIN);
});

Deno.test("the library of linux-x64 is there", () => {
  assert("linux-x64" in digests, AGAIN);
  const library = readLibrary("linux-x64");
  assert(library.length < 3 * 1024 * 1024, `${library.length} bytes`);
  const glibc = neededGlibc(library);
  assert(glibc !== undefined && compareVersions(glibc, "2.17") <= 0, glibc);
});

Deno.test("libraries are those whose digests are noted", () => {
  for (const { name: platform } of Deno.readDirSync(LIBRARIES)) {
    assertEquals(digestOf(readLibrary(platform)), digests[platform], AGAIN);
  }
});

Deno.test("every source file counts", () => {
  const files = sourceFiles();
  for (const file of ["Cargo.lock", "Cargo.toml", "build.rs", "src/abi.rs"]) {
    assert(files.includes(file), file);
  }
  assert(files.some((file) => file.startsWith("src/http/")));
  assertEquals(files, [...files].sort());
});

Deno.test("versions are compared number by number", () => {
  assert(compareVersions("2.17", "2.2.5") > 0);
  assert(compareVersions("2.9", "2.17") < 0);
  assertEquals(compareVersions("2.3", "2.3.0"), 0);
  const names = new TextEncoder().encode("GLIBC_2.2.5\0GLIBC_2.17\0GLIBC_2.9");
  assertEquals(neededGlibc(names), "2.17");
  assertEquals(neededGlibc(new Uint8Array(8)), undefined);
});

Deno.test("digests.ts says what it was told", async () => {
  const told: Digests = {
    abi: 7,
    sources: "a".repeat(64),
    libraries: { "linux-x64": "b".repeat(64), "darwin-arm64": "c".repeat(64) },
  };
  const text = digestsModule(told);
  const url = `data:application/typescript,${encodeURIComponent(text)}`;
  const module = await import(url);
  assertEquals(module.builtAbi, told.abi);
  assertEquals(module.builtSources, told.sources);
  assertEquals(module.digests, told.libraries);
});

function readLibrary(platform: string): Uint8Array<ArrayBuffer> {
  const path = `${platform}/${libraryFileName(platform)}`;
  return Deno.readFileSync(new URL(path, LIBRARIES));
}
