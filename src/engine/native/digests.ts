// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "4b94354751fdb70afa4725e611b08b516794a5e78004d6f622f092e3fe62aa81";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "677a6d76d6723bbddd30aaeee1139160a796e389678eaacfa8c4788529212d5b",
};
