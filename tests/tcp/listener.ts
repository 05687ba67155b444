import { DenoTcpListener } from "../../src/engine/deno/tcp_listener.ts";
import {
  TCP_TIMES,
  type TcpTimes,
} from "../../src/engine/deno/tcp_deadline.ts";
import { resolveListen } from "../../src/options/tcp_options.ts";
import { TcpSocketListener } from "../../src/tcp/socket_listener.ts";
import type {
  SocketHandler,
  TCPSocketListener,
} from "../../src/tcp/socket_types.ts";

/** What `listen` of a test may need. */
interface Options {
  readonly tls?: unknown;
  readonly allowHalfOpen?: boolean;
  readonly socket: SocketHandler;
}

/** As `listen` on the loopback, with other times than programs get. */
export function listenWithTimes(
  times: Partial<TcpTimes>,
  options: Options,
): TCPSocketListener<unknown> {
  const resolved = resolveListen({
    hostname: "127.0.0.1",
    port: 0,
    ...options,
  });
  const listener: unknown = new TcpSocketListener(
    resolved,
    (accept) =>
      new DenoTcpListener(resolved.listen, accept, { ...TCP_TIMES, ...times }),
  );
  return listener as TCPSocketListener<unknown>;
}

/** Reads until the peer closes or resets; how many bytes there were. */
export async function drained(conn: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let total = 0;
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return total;
      total += count;
    }
  } catch {
    // A reset is an end, too.
    return total;
  }
}

/** Writes a byte now and then until the peer refuses it. */
export async function refused(conn: Deno.Conn): Promise<void> {
  for (;;) {
    try {
      await conn.write(new Uint8Array(1));
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
