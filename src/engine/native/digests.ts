// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "7ccc9b6c23e9698dbbcdb04fe072d6ba4c8828c96a795665871f5dc7edcc877c";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "0aea8467ed7f3e5162cf3086b5398eef1b16d802703d97f996a38ebe7ce2e79c",
};
