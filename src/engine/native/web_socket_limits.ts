import type { WebSocketPlan } from "../engine.ts";

/**
 * About what the kernel takes for a client that reads nothing. What was sent in
 * one turn has not been offered to it yet, so that much may come on top of the
 * limit until the I/O thread says that the client is slow.
 */
const KERNEL_BUFFER = 4 * 1024 * 1024;

/** With more waiting, whoever sends is told to wait, slow client or not. */
const EASE = 1024 * 1024;

/** How many bytes may wait for a client of a plan. */
export interface WebSocketLimits {
  /** With more, `send` says that they wait. */
  readonly ease: number;
  /** With more, messages to clients that are known to be slow are dropped. */
  readonly slow: number;
  /** With more, messages to any client are dropped. */
  readonly any: number;
  /**
   * With more, messages that the I/O thread makes room for wait for it: they may
   * all be on their way, and it keeps less.
   */
  readonly most: number;
  /** The connection is cut rather than a message dropped. */
  readonly isCut: boolean;
}

const known: WeakMap<WebSocketPlan, WebSocketLimits> = new WeakMap();

/**
 * The limits of a plan. A message is dropped only if one before it was said to
 * wait.
 */
export function limitsOf(plan: WebSocketPlan): WebSocketLimits {
  let limits = known.get(plan);
  if (limits === undefined) {
    const { backpressureLimit: limit, closeOnBackpressureLimit } = plan;
    const slow = limit === 0 ? Infinity : limit;
    limits = {
      ease: Math.min(EASE, slow),
      slow,
      any: slow + KERNEL_BUFFER,
      most: 2 * (slow + KERNEL_BUFFER),
      isCut: closeOnBackpressureLimit,
    };
    known.set(plan, limits);
  }
  return limits;
}
