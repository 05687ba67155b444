/**
 * Builds the helper for this platform: `deno task build`. It needs Rust.
 *
 * With [cargo-zigbuild](https://github.com/rust-cross/cargo-zigbuild) the
 * library runs on every Linux since glibc 2.17; without, on those that are not
 * older than this one. The same sources and tools give the same bytes, wherever
 * they are.
 *
 * @module
 */

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ABI } from "./abi.ts";
import { digestOf } from "./file_digest.ts";
import { libraryFileName, platformName } from "./library_path.ts";

/** Where the crate is. */
export const HELPER: URL = new URL("./helper/", import.meta.url);
/** Where the built libraries are, in a directory per platform. */
export const LIBRARIES: URL = new URL("./lib/", import.meta.url);

const DIGESTS: URL = new URL("./digests.ts", import.meta.url);
/** What a library must not be larger than, in bytes. */
const MAX_SIZE = 3 * 1024 * 1024;
/** The oldest glibc that a library built by cargo-zigbuild needs. */
const BASELINE = "2.17";

/** What `digests.ts` says about the libraries. */
export interface Digests {
  /** `ABI` when they were built. */
  readonly abi: number;
  /** {@linkcode sourcesDigest} when they were built. */
  readonly sources: string;
  /** SHA-256 of each library by platform. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** The files that make the library, as paths inside of the crate, in order. */
export function sourceFiles(): string[] {
  const modules = readdirSync(new URL("src/", HELPER), { recursive: true })
    .map((path) => `src/${String(path).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".rs"));
  return ["Cargo.lock", "Cargo.toml", "build.rs", ...modules]
    // Not by locale: the order is the same everywhere.
    .sort((one, other) => one < other ? -1 : 1);
}

/**
 * SHA-256 of everything the library is made of: of a line for each source file,
 * with its own digest and path.
 */
export function sourcesDigest(): string {
  const lines = sourceFiles().map((path) =>
    `${digestOf(readFileSync(new URL(path, HELPER)))}  ${path}\n`
  );
  return digestOf(new TextEncoder().encode(lines.join("")));
}

/** The newest glibc that a library asks for, such as `2.17`; or undefined. */
export function neededGlibc(library: Uint8Array): string | undefined {
  // Names of symbol versions are plain text in an ELF file.
  const text = new TextDecoder("latin1").decode(library);
  const versions = Array.from(text.matchAll(/GLIBC_([0-9]+(?:\.[0-9]+)+)/g))
    .map(([, version]) => version!);
  return versions.sort(compareVersions).at(-1);
}

/** Compares dotted numbers: below zero if `one` is the older. */
export function compareVersions(one: string, other: string): number {
  const [these, those] = [one, other].map((text) =>
    text.split(".").map(Number)
  );
  const length = Math.max(these!.length, those!.length);
  for (let index = 0; index < length; index++) {
    const difference = (these![index] ?? 0) - (those![index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Text of a `digests.ts`. */
export function digestsModule({ abi, sources, libraries }: Digests): string {
  const entries = Object.entries(libraries)
    .sort(([one], [other]) => one < other ? -1 : 1)
    .map(([platform, digest]) => `  "${platform}":\n    "${digest}",\n`);
  return `// Written by \`deno task build\`.

/** \`ABI\` of the built libraries. */
export const builtAbi: number = ${abi};

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "${sources}";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
${entries.join("")}};
`;
}

/** Builds the library for this platform, and notes its digest. */
function build(): void {
  const platform = platformName();
  if (platform === undefined) {
    throw new Error(`Cannot build for ${Deno.build.os} ${Deno.build.arch}`);
  }
  const sources = sourcesDigest();
  const built = runCargo();
  if (sources !== sourcesDigest()) {
    throw new Error("The sources were changed while they were built");
  }
  const library = readFileSync(built);
  checkLibrary(library);
  const directory = new URL(`${platform}/`, LIBRARIES);
  mkdirSync(directory, { recursive: true });
  const path = new URL(libraryFileName(platform), directory);
  // Not written over: programs that run may have it in their memory.
  const part = new URL(`${path}.part`);
  copyFileSync(built, part);
  renameSync(part, path);
  writeDigests(sources, {
    ...librariesOf(sources),
    [platform]: digestOf(library),
  });
  console.log(`Built ${platform}: ${library.length} bytes`);
  const glibc = neededGlibc(library);
  if (glibc !== undefined) console.log(`It needs glibc ${glibc}`);
}

/**
 * Notes the digests of all libraries that are there: for releases, where each
 * was built from the same sources on a machine of its own.
 */
function collect(): void {
  const libraries: Record<string, string> = {};
  for (const { name: platform } of Deno.readDirSync(LIBRARIES)) {
    const path = `${platform}/${libraryFileName(platform)}`;
    const library = readFileSync(new URL(path, LIBRARIES));
    checkLibrary(library);
    libraries[platform] = digestOf(library);
  }
  writeDigests(sourcesDigest(), libraries);
}

function writeDigests(
  sources: string,
  libraries: Readonly<Record<string, string>>,
): void {
  const text = digestsModule({ abi: ABI, sources, libraries });
  Deno.writeTextFileSync(DIGESTS, text);
}

/**
 * The libraries of all platforms that were built from the same sources; others
 * are forgotten, and their users get the deno engine until they are built.
 */
function librariesOf(sources: string): Record<string, string> {
  let text: string;
  try {
    text = Deno.readTextFileSync(DIGESTS);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  if (!text.includes(`"${sources}"`)) return {};
  const entries = text.matchAll(/"([a-z0-9-]+)":\s+"([0-9a-f]{64})"/g);
  return Object.fromEntries(
    Array.from(entries, ([, platform, digest]) => [platform!, digest!]),
  );
}

/** Runs cargo; the path of the library that it has built. */
function runCargo(): string {
  const helper = fileURLToPath(HELPER);
  const zig = hasZig();
  const command = zig ? "zigbuild" : "build";
  const target = zig
    ? ["--target", `${Deno.build.arch}-unknown-linux-gnu.${BASELINE}`]
    : [];
  if (!zig && Deno.build.os === "linux") {
    console.warn(
      "Without cargo-zigbuild the library needs a glibc as new as this one's: " +
        "`pip install ziglang`, `cargo install --locked cargo-zigbuild`",
    );
  }
  // First, so that all paths to hide are there.
  cargo(["fetch", "--locked"], {});
  const options = [
    command,
    "--release",
    "--locked",
    "--lib",
    "--message-format=json-render-diagnostics",
    ...target,
  ];
  return builtLibrary(cargo(options, reproducible(helper)));
}

/** Runs cargo; what it has said. */
function cargo(options: string[], environment: Record<string, string>): string {
  const { status, stdout, error } = spawnSync("cargo", options, {
    cwd: fileURLToPath(HELPER),
    env: { ...Deno.env.toObject(), ...environment },
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) {
    throw new Error(`Cannot run cargo: ${error.message}`, { cause: error });
  }
  if (status !== 0) throw new Error(`cargo ${options[0]} ended with ${status}`);
  return stdout.toString();
}

/** What cargo's messages say about the library. */
function builtLibrary(messages: string): string {
  for (const line of messages.trim().split("\n").reverse()) {
    const { reason, filenames = [] } = JSON.parse(line);
    if (reason !== "compiler-artifact") continue;
    const library = filenames.find((path: string) =>
      /\.(so|dylib)$/.test(path)
    );
    if (library !== undefined) return library;
  }
  throw new Error("cargo has built no library");
}

/** Environment under which the bytes do not depend on where things are. */
function reproducible(helper: string): Record<string, string> {
  const registries = `${cargoHome()}/registry/src`;
  const prefixes = [
    [helper.replace(/\/$/, ""), "helper"],
    [cargoHome(), "cargo"],
    // The last that fits is taken.
    ...readdirSync(registries).map((
      name,
    ) => [`${registries}/${name}`, "crates"]),
  ];
  return {
    CARGO_ENCODED_RUSTFLAGS: prefixes
      .map(([from, to]) => `--remap-path-prefix=${from}=${to}`)
      .join("\x1f"),
    CARGO_INCREMENTAL: "0",
  };
}

function cargoHome(): string {
  return Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;
}

/** Whether cargo-zigbuild is there, and zig, which it needs. */
function hasZig(): boolean {
  if (Deno.build.os !== "linux") return false;
  if (!runs("cargo-zigbuild", ["--version"])) return false;
  // As a Python package zig is started by Python, which cargo-zigbuild tries.
  return Deno.env.has("CARGO_ZIGBUILD_ZIG_PATH") || runs("zig", ["version"]) ||
    runs("python3", ["-m", "ziglang", "version"]);
}

function runs(command: string, options: string[]): boolean {
  return spawnSync(command, options, { stdio: "ignore" }).status === 0;
}

/** A library that must not ship is an error. */
function checkLibrary(library: Uint8Array): void {
  if (library.length > MAX_SIZE) {
    throw new Error(`It has ${library.length} bytes, the limit is ${MAX_SIZE}`);
  }
  const text = new TextDecoder("latin1").decode(library);
  for (const path of [fileURLToPath(HELPER), cargoHome()]) {
    if (text.includes(path)) throw new Error(`It contains the path ${path}`);
  }
}

if (import.meta.main) {
  try {
    if (Deno.args.includes("--collect")) collect();
    else build();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
