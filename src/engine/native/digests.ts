// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "1df76037c0ed9be31701a0092f4ff7263fee6f3f7fb87f95a598844b6d873c20";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "04055ba026b1b9ac1a326a7f8b0c52c01fa34d6be0fdd9f556d13e25b5435c4e",
};
