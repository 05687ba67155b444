// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "34977e5c0ba6283273c132103b5057a08c88f32a51ea91aeff9f188d5b5b3f93";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "af5a858976a9c624041b4ef78a1f7945a0710f3626164d661d5caabca466d62c",
};
