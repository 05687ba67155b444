import { chooseListenEngine } from "./engine/choose.ts";
import { resolveListen } from "./options/tcp_options.ts";
import { TcpSocketListener } from "./tcp/socket_listener.ts";
import type {
  BinaryType,
  TCPSocketListener,
  TCPSocketListenOptions,
  UnixSocketListener,
  UnixSocketOptions,
} from "./tcp/socket_types.ts";

/**
 * Listens for TCP connections. It listens when this returns.
 *
 * @typeParam Data What `data` of the sockets is.
 * @typeParam DataBinaryType How bytes are received, from `binaryType`.
 * @param options Where to listen, and what happens on sockets.
 * @returns The listener.
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {RangeError} If the port is out of range.
 * @throws {Error} If listening fails; `code` says why, such as `EADDRINUSE`.
 *
 * @example An echo server
 * ```ts
 * import { connect, listen } from "@jstime/serve";
 *
 * using server = listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   socket: {
 *     data(socket, bytes) {
 *       socket.write(bytes);
 *     },
 *   },
 * });
 * const { promise, resolve } = Promise.withResolvers<string>();
 * using client = await connect({
 *   hostname: server.hostname,
 *   port: server.port,
 *   socket: { data: (_, bytes) => resolve(bytes.toString()) },
 * });
 * client.write("Hello");
 * console.log(await promise); // Hello
 * ```
 */
export function listen<
  Data = undefined,
  DataBinaryType extends BinaryType = "buffer",
>(
  options: TCPSocketListenOptions<Data, DataBinaryType>,
): TCPSocketListener<Data>;
/**
 * Listens on a Unix socket. It listens when this returns.
 *
 * @typeParam Data What `data` of the sockets is.
 * @typeParam DataBinaryType How bytes are received, from `binaryType`.
 * @param options Where to listen, and what happens on sockets.
 * @returns The listener.
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {Error} If listening fails; `code` says why, such as `EADDRINUSE`.
 *
 * @example
 * ```ts ignore
 * import { listen } from "@jstime/serve";
 *
 * listen({
 *   unix: "/run/example.sock",
 *   socket: { open: (socket) => void socket.end("Hello"), data() {} },
 * });
 * ```
 */
export function listen<
  Data = undefined,
  DataBinaryType extends BinaryType = "buffer",
>(
  options: UnixSocketOptions<Data, DataBinaryType>,
): UnixSocketListener<Data>;
export function listen(options: unknown): never {
  const resolved = resolveListen(options);
  const engine = chooseListenEngine(resolved.engine, resolved.listen);
  const listener: unknown = new TcpSocketListener(
    resolved,
    (accept) => engine.listenTcp(resolved.listen, accept),
  );
  // The overloads say what it is.
  return listener as never;
}
