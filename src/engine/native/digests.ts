// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "447b5e71744854724a71d59b6ee464476da80055a110a709bf4f10dc441e87ca";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "0aea8467ed7f3e5162cf3086b5398eef1b16d802703d97f996a38ebe7ce2e79c",
};
