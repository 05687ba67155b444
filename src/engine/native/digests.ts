// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "1407f775119e1ea8173c777fafc6471a35d875ec8edf18f838e9769b6aa56ab2";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "485b64eb44f6806a93a35f931582cacb50fbbbfc6b7da2d8239dd528c9be8b2f",
};
