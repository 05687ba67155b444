// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "ea477b888018173cf8bac93ba2f7828d01fc2c9ea2f7c0a4c9c7a1dfc1f54a2d";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "f84c105c2ad94bde6e67ec6c3b270ec967c2e442d4354a15a3c6a2938a1ae868",
};
