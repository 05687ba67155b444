/**
 * Finds the helper's library. No person is ever asked for a permission: without
 * one, there is no library.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { CachedDownload } from "./cached_download.ts";
import { digestOf } from "./file_digest.ts";

/** Why there is no library to load. */
export interface NoLibrary {
  /** One clause without a full stop. */
  readonly reason: string;
  /** There is one, but it is not what it should be. */
  readonly isFault: boolean;
}

/** What the search depends on. */
export interface LibrarySearch {
  /** The path of a library that is to be taken as it is; undefined for none. */
  readonly given: string | undefined;
  /** Such as `linux-x64`; undefined where no helper is built for. */
  readonly platform: string | undefined;
  /** The directory of the built libraries, with a slash at its end. */
  readonly base: URL;
  /** SHA-256 of each by platform, in lower-case hexadecimal digits. */
  readonly digests: Readonly<Record<string, string>>;
}

/** The platform as the directories of built libraries are named. */
export function platformName(
  { os, arch }: { os: string; arch: string } = Deno.build,
): string | undefined {
  const cpu = CPUS[arch];
  return cpu !== undefined && os in EXTENSIONS ? `${os}-${cpu}` : undefined;
}

const CPUS: Readonly<Record<string, string>> = {
  x86_64: "x64",
  aarch64: "arm64",
};

const EXTENSIONS: Readonly<Record<string, string>> = {
  linux: "so",
  darwin: "dylib",
};

/** The name of the library's file for a platform. */
export function libraryFileName(platform: string): string {
  const [os = ""] = platform.split("-");
  return `libjstime_serve.${EXTENSIONS[os] ?? "so"}`;
}

/**
 * The path of the library, its digest checked.
 *
 * Next to a program from the network there is no file to load. Then one that
 * was downloaded earlier is taken; without, the download begins now, and the
 * next call or the next start finds it.
 */
export function findLibrary(search: LibrarySearch): string | NoLibrary {
  const missing = missingPermission();
  if (missing !== undefined) return { reason: missing, isFault: false };
  const { given, platform, base, digests } = search;
  if (given !== undefined && given !== "") return given;
  const digest = platform === undefined ? undefined : digests[platform];
  if (platform === undefined || digest === undefined) {
    const { os, arch } = Deno.build;
    return { reason: `there is no helper for ${os} ${arch}`, isFault: false };
  }
  const url = new URL(`${platform}/${libraryFileName(platform)}`, base);
  if (url.protocol === "file:") return checkFile(fileURLToPath(url), digest);
  return new CachedDownload(url, digest).find();
}

/** What must be granted, as far as it is not. */
function missingPermission(): string | undefined {
  // Naming a library is not enough: looking at its memory needs the grant as
  // a whole.
  if (!isGranted("ffi")) return "it needs `--allow-ffi`";
  // Its events are announced on a local socket, whose name is made up anew
  // each time, so that no list of hosts can have it.
  if (!isGranted("net")) return "it needs `--allow-net` without a list";
  if (Deno.build.os === "linux") return undefined;
  // Elsewhere that socket is a file.
  return isGranted("read") && isGranted("write")
    ? undefined
    : "it needs `--allow-read` and `--allow-write`";
}

function isGranted(name: "ffi" | "net" | "read" | "write"): boolean {
  return Deno.permissions.querySync({ name }).state === "granted";
}

/** A file that came with this module, which must be the one meant. */
function checkFile(path: string, digest: string): string | NoLibrary {
  const permission = Deno.permissions.querySync({ name: "read", path });
  // Then it is as trustworthy as the module beside it, which nobody checked.
  if (permission.state !== "granted") return path;
  let content: Uint8Array<ArrayBuffer>;
  try {
    content = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { reason: "its helper is not there", isFault: false };
    }
    return { reason: `its helper cannot be read: ${error}`, isFault: true };
  }
  return digestOf(content) === digest
    ? path
    : { reason: `${path} is not the helper that was built`, isFault: true };
}
