// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "5d5d0671315b03ef09eb5049ad67fad4e90ba6d626ab461b7f987ecd4a428f6a";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "fe77ecf1e4594bf3959a989bc36fe2583547e516087ef0b47771d282a5a36c1d",
};
