// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "b3199664139b11ee0f56c5c8fb02166b5570acb3b5c86024c9497ae1cef12e7e";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "17b70d37047992aae73c58ab25688c34688cebe6580dc8810e60e56b786591a0",
};
