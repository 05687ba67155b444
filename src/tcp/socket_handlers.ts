import type { BinaryType, Socket } from "./socket_types.ts";

/** A handler as it is called; what it returns is nobody's business. */
export type Handler<Rest extends unknown[] = []> = (
  this: Socket<unknown>,
  socket: Socket<unknown>,
  ...rest: Rest
) => unknown;

/** The handlers of sockets, checked; absent ones are undefined. */
export interface SocketHandlers {
  readonly open: Handler | undefined;
  readonly data: Handler<[unknown]> | undefined;
  readonly drain: Handler | undefined;
  readonly close: Handler<[Error | undefined]> | undefined;
  readonly end: Handler | undefined;
  readonly error: Handler<[Error]> | undefined;
  readonly timeout: Handler | undefined;
  readonly handshake: Handler<[boolean, Error | null]> | undefined;
  readonly connectError: Handler<[Error]> | undefined;
  readonly binaryType: BinaryType;
}

/** Where sockets look up their handlers, so that all see a replacement. */
export interface HandlerSlot {
  /** The handlers in force. */
  handlers: SocketHandlers;
}

/**
 * Calls a handler. If it throws, `error` is called instead.
 *
 * @returns False if it threw.
 */
export function callHandler<Rest extends unknown[]>(
  slot: HandlerSlot,
  handler: Handler<Rest> | undefined,
  socket: Socket<unknown>,
  ...rest: Rest
): boolean {
  if (handler === undefined) return true;
  try {
    handler.call(socket, socket, ...rest);
    return true;
  } catch (error) {
    callErrorHandler(slot, socket, error as Error);
    return false;
  }
}

/** Tells `error` what a handler threw. */
export function callErrorHandler(
  { handlers }: HandlerSlot,
  socket: Socket<unknown>,
  error: Error,
): void {
  if (handlers.error === undefined) return reportUncaught(error);
  try {
    handlers.error.call(socket, socket, error);
  } catch (error) {
    reportUncaught(error);
  }
}

/**
 * Reports an error that nobody handles, as `reportError` does, except that
 * the process goes on: one peer must not end the connections of the others.
 */
function reportUncaught(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const event = new ErrorEvent("error", { error, message, cancelable: true });
  if (globalThis.dispatchEvent(event)) {
    console.error("Uncaught in a socket handler:", error);
  }
}
