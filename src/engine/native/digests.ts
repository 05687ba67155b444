// Written by `deno task build`.

/** `ABI` of the built libraries. */
export const builtAbi: number = 1;

/** Digest of the sources that they were built from. */
export const builtSources: string =
  "99ea276638a809e5f1e6529b9f763192cb53fdaf6473fd14383537e085337ddf";

/** SHA-256 of each library by platform. */
export const digests: Readonly<Record<string, string>> = {
  "linux-x64":
    "adf4b8e90faaedb0478a99d0ad2f3f72808e215370876fa0cf9606bdbf1fb14d",
};
