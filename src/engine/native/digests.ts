// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "23f045576d9f8df676544e0181c053876ca9ff03873835b2135d884c698c179d";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "04055ba026b1b9ac1a326a7f8b0c52c01fa34d6be0fdd9f556d13e25b5435c4e",
};
