/** The certificates of these tests, each with a key of its own. */
export type CertificateName = "first" | "second" | "wildcard" | "expired";

const folder = new URL("./certificates/", import.meta.url);

/** Path of a file in the folder of certificates. */
export function pathOf(file: string): string {
  return new URL(file, folder).pathname;
}

/** Text of a certificate. */
export function certificateOf(name: CertificateName): string {
  return Deno.readTextFileSync(pathOf(`${name}_cert.pem`));
}

/** Text of a private key. */
export function keyOf(name: CertificateName): string {
  return Deno.readTextFileSync(pathOf(`${name}_key.pem`));
}

/** An element of the option `tls`. */
export interface Entry {
  readonly cert: string;
  readonly key: string;
  readonly serverName?: string | readonly string[];
}

/** A certificate with its key, for a server name. */
export function entry(
  name: CertificateName,
  serverName?: string | readonly string[],
): Entry {
  const pair = { cert: certificateOf(name), key: keyOf(name) };
  return serverName === undefined ? pair : { ...pair, serverName };
}
