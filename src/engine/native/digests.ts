// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "d727455392acbb7faa5a7725212320f418340e1bd0db6ce80ab41354988693de";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "8e36f7237bb8c37ef919fec16b53262c4ed51cf533154d893e13f57619977804",
};
