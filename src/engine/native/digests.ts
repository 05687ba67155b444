// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "960057cb4280e509473ef639e32b813601fdb23a49c826981f9dddeb3e4eec31";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "66cb1104156ea92a844282081122596b4019d8c9c46ac3090a503f5cd15e6453",
};
