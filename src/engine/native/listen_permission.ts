import type { TcpAddressPlan, UnixAddressPlan } from "../engine.ts";

/**
 * Asks for what Deno's own way to listen needs: the helper could listen
 * without.
 *
 * @throws {Deno.errors.NotCapable} If it is not granted.
 */
export function requireListenPermission(
  address: TcpAddressPlan | UnixAddressPlan,
): void {
  if (address.transport === "tcp") {
    const { hostname, port } = address;
    const host = `${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:${port}`;
    return require({ name: "net", host }, host);
  }
  const { path } = address;
  // An abstract name is none in the file system.
  if (path.startsWith("\0")) return require({ name: "net" }, "Unix sockets");
  require({ name: "read", path }, path);
  require({ name: "write", path }, path);
}

function require(
  descriptor:
    | Deno.NetPermissionDescriptor
    | Deno.ReadPermissionDescriptor
    | Deno.WritePermissionDescriptor,
  what: string,
): void {
  const { permissions } = Deno;
  if (permissions.querySync(descriptor).state === "granted") return;
  // As Deno does it: a person at a terminal is asked.
  if (permissions.requestSync(descriptor).state === "granted") return;
  const { name } = descriptor;
  throw new Deno.errors.NotCapable(
    `Requires ${name} access to ${what}, run again with the --allow-${name} flag`,
  );
}
