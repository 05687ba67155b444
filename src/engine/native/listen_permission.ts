import type {
  TcpAddressPlan,
  TcpConnectPlan,
  UnixAddressPlan,
} from "../engine.ts";

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
    const host = hostOf(address);
    return require({ name: "net", host }, host);
  }
  const { path } = address;
  // An abstract name is none in the file system.
  if (path.startsWith("\0")) return require({ name: "net" }, "Unix sockets");
  require({ name: "read", path }, path);
  require({ name: "write", path }, path);
}

/**
 * Asks for what Deno's own way to connect needs.
 *
 * @throws {Deno.errors.NotCapable} If it is not granted.
 */
export function requireConnectPermission(
  address: TcpConnectPlan["address"],
): void {
  // What is needed is the same, whichever side one is on.
  if (address.transport === "unix") return requireListenPermission(address);
  const host = hostOf(address);
  require({ name: "net", host }, host);
}

function hostOf({ hostname, port }: { hostname: string; port: number }) {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
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
