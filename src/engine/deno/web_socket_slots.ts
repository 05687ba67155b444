/**
 * Three things that the web's interface of WebSockets lacks, done through the
 * private slots that Deno keeps on symbol properties. Where a slot is missing,
 * nothing is done.
 *
 * @module
 */

interface DenoCore {
  tryClose(resource: number): void;
  cancelTimer(timer: unknown): void;
}

const core = findCore();

/**
 * Drops the connection at once; false if that is not possible (any more).
 *
 * By itself a WebSocket can only ask its peer to close, and wait for as long as
 * that likes. Deno drops connections by closing the resource behind them, and
 * so do we. What was sent before is still written. Never touch the socket
 * afterwards.
 */
export function cutWebSocket(socket: WebSocket): boolean {
  const resource = valueOf(socket, "[[rid]]");
  if (core === undefined || typeof resource !== "number") return false;
  core.tryClose(resource);
  return true;
}

/**
 * Closes without dropping what is under way.
 *
 * When a message arrives after `close()`, Deno drops the connection, perhaps
 * before it has written the close frame. A socket that is open for all it knows
 * reads on until the peer's close frame.
 */
export function closeWebSocket(
  socket: WebSocket,
  code: number | undefined,
  reason: string,
): void {
  if (code === undefined) socket.close();
  else socket.close(code, reason);
  const slot = slotOf(socket, "[[readyState]]");
  if (slot !== undefined && socket.readyState === WebSocket.CLOSING) {
    Reflect.set(socket, slot, WebSocket.OPEN);
  }
}

/**
 * Lets go of a socket that is over.
 *
 * When a connection is lost, Deno forgets to stop the timer for silent clients,
 * which keeps the socket in memory until it fires.
 */
export function releaseWebSocket(socket: WebSocket): void {
  const timer = valueOf(socket, "[[idleTimeoutTimeout]]");
  if (core !== undefined && timer) core.cancelTimer(timer);
}

function findCore(): DenoCore | undefined {
  const { internal } = Deno as unknown as { internal?: symbol };
  if (internal === undefined) return undefined;
  const internals = Reflect.get(Deno, internal) as
    | { core?: Partial<DenoCore> }
    | undefined;
  const found = internals?.core;
  const isComplete = typeof found?.tryClose === "function" &&
    typeof found.cancelTimer === "function";
  return isComplete ? found as DenoCore : undefined;
}

function valueOf(socket: WebSocket, description: string): unknown {
  const slot = slotOf(socket, description);
  return slot === undefined ? undefined : Reflect.get(socket, slot);
}

function slotOf(socket: WebSocket, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket)
    .find((symbol) => symbol.description === description);
}
