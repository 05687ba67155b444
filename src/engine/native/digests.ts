// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "6c99248b3f52ed1c759aa3cfdd979cbfa1ec071eb541d9f887d452ed1bf73fc6";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "5cc770ac640a313c43a740965fbac7c4fdf21b53bfc5caebe00a6f47db33f0c9",
};
