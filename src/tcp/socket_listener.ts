import type { TcpConnection, TcpListener } from "../engine/engine.ts";
import {
  resolveReload,
  type TcpListenOptions,
} from "../options/tcp_options.ts";
import type { HandlerSlot } from "./socket_handlers.ts";
import type { SocketListener, SocketOptions } from "./socket_types.ts";
import { TcpSocket } from "./tcp_socket.ts";

/** The listener behind `listen`; everything is on the prototype. */
export class TcpSocketListener implements SocketListener<unknown> {
  readonly #options: TcpListenOptions;
  readonly #slot: HandlerSlot;
  readonly #listener: TcpListener;
  readonly #sockets: Set<TcpSocket> = new Set();
  #data: unknown;

  /** @param listen Begins to listen. */
  constructor(
    options: TcpListenOptions,
    listen: (accept: (connection: TcpConnection) => void) => TcpListener,
  ) {
    this.#options = options;
    this.#slot = { handlers: options.handlers };
    this.#data = options.data;
    this.#listener = listen((connection) => this.#accept(connection));
  }

  get port(): number | undefined {
    const { address } = this.#listener;
    return address.transport === "tcp" ? address.port : undefined;
  }

  get hostname(): string | undefined {
    return this.#options.hostname;
  }

  get unix(): string | undefined {
    const { address } = this.#listener;
    return address.transport === "unix" ? address.path : undefined;
  }

  get data(): unknown {
    return this.#data;
  }

  set data(value: unknown) {
    this.#data = value;
  }

  stop(closeActiveConnections: boolean = false): void {
    this.#listener.close();
    if (!closeActiveConnections) return;
    // The handlers that this calls may end other sockets.
    for (const socket of [...this.#sockets]) socket.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  reload(options: Pick<SocketOptions<unknown>, "socket">): void {
    this.#slot.handlers = resolveReload(options);
  }

  [Symbol.dispose](): void {
    this.stop(true);
  }

  #accept(connection: TcpConnection): void {
    const socket = new TcpSocket({
      slot: this.#slot,
      data: this.#data,
      allowHalfOpen: this.#options.allowHalfOpen,
      listener: this,
      tls: this.#options.listen.tls === undefined ? undefined : "server",
      onClose: (socket) => this.#sockets.delete(socket),
    });
    this.#sockets.add(socket);
    socket.start(connection);
  }
}
