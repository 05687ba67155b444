import { chooseConnectEngine } from "./engine/choose.ts";
import {
  resolveConnect,
  type TcpConnectOptions,
} from "./options/tcp_options.ts";
import type {
  BinaryType,
  Socket,
  TCPSocketConnectOptions,
  UnixSocketOptions,
} from "./tcp/socket_types.ts";
import { TcpSocket } from "./tcp/tcp_socket.ts";

/**
 * Connects to a TCP server.
 *
 * @typeParam Data What `data` of the socket is.
 * @typeParam DataBinaryType How bytes are received, from `binaryType`.
 * @param options Where to connect to, and what happens on the socket.
 * @returns The socket, after its `open` handler was called; with TLS as soon as
 * the connection is there, before the handshake.
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {RangeError} If the port is out of range.
 * @throws {Error} The promise rejects if connecting fails, after the handler
 * `connectError` was called; `code` says why, such as `ECONNREFUSED`.
 *
 * @example
 * ```ts
 * import { connect, listen } from "@jstime/serve";
 *
 * using server = listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   socket: { open: (socket) => void socket.end("Good morning"), data() {} },
 * });
 * const { promise, resolve } = Promise.withResolvers<string>();
 * await connect({
 *   hostname: server.hostname,
 *   port: server.port,
 *   socket: { data: (_, bytes) => resolve(bytes.toString()) },
 * });
 * console.log(await promise); // Good morning
 * ```
 */
export function connect<
  Data = undefined,
  DataBinaryType extends BinaryType = "buffer",
>(
  options: TCPSocketConnectOptions<Data, DataBinaryType>,
): Promise<Socket<Data>>;
/**
 * Connects to a Unix socket.
 *
 * @typeParam Data What `data` of the socket is.
 * @typeParam DataBinaryType How bytes are received, from `binaryType`.
 * @param options Where to connect to, and what happens on the socket.
 * @returns The socket, after its `open` handler was called.
 * @throws {TypeError} If an option is missing or has the wrong type.
 * @throws {Error} The promise rejects if connecting fails, after the handler
 * `connectError` was called; `code` says why, such as `ENOENT`.
 *
 * @example
 * ```ts ignore
 * import { connect } from "@jstime/serve";
 *
 * const socket = await connect({
 *   unix: "/run/example.sock",
 *   socket: { data: (_, bytes) => console.log(bytes.toString()) },
 * });
 * socket.write("Hello");
 * ```
 */
export function connect<
  Data = undefined,
  DataBinaryType extends BinaryType = "buffer",
>(
  options: UnixSocketOptions<Data, DataBinaryType>,
): Promise<Socket<Data>>;
// Not an async function: wrong options throw at once.
export function connect(options: unknown): Promise<never> {
  const resolved = resolveConnect(options);
  const promise = open(resolved);
  // What `connectError` was told is not unhandled.
  if (resolved.handlers.connectError !== undefined) promise.catch(() => {});
  // The overloads say what it is.
  return promise as Promise<never>;
}

async function open(options: TcpConnectOptions): Promise<TcpSocket> {
  const { handlers, data, allowHalfOpen, connect } = options;
  const engine = chooseConnectEngine(options.engine);
  const { address } = connect;
  const socket = new TcpSocket({
    slot: { handlers },
    data,
    allowHalfOpen,
    listener: undefined,
    hostname: address.transport === "tcp" ? address.hostname : undefined,
    tls: connect.tls,
  });
  let connection;
  try {
    connection = await engine.connectTcp(connect);
  } catch (error) {
    socket.failed(error as Error);
    throw error;
  }
  socket.start(connection);
  return socket;
}
