// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "8c2f23d076c6127484e0a299266eeb3386d8cfc44ae4e44372b7fc20f4850cf2";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "613e39a9a5eff8b20781e3e71eba1fd2ba6db1a91a570ba28f32e4fa13104eb3",
};
