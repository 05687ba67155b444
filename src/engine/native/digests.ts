// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "b1a28e176c189ea1ce9b5e6c27922340d54a59dcd4f947b4850e64e18d991b4c";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "8c72a90721f3d4f6a53c9037c74de3367671bd42da6b3956ef87a656de09aca9",
};
