// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "794d07da49f92871df8e6a58b1471621fb80640ea33f05ab008a2024ba1cec7e";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "ee4ea2f6d46578786543c8db4210b4074adc30d90a10eefe10edda363a525cff",
};
