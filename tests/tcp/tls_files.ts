const folder = new URL("./tls/", import.meta.url);

/** Reads PEM text from the folder `tls`. */
export function pem(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.pem`, folder));
}

/** The authority that has signed the others. */
export const authority: string = pem("authority");

/** A certificate and its key. */
export function pair(name: string): { cert: string; key: string } {
  return { cert: pem(name), key: pem(`${name}_key`) };
}
