import type { Engine } from "../engine/engine.ts";
import type { WebSocketServerPlan } from "../options/websocket_options.ts";

/** Warns about what was asked for and the engine cannot do. */
export function warnOfMissingFeatures(
  plan: WebSocketServerPlan | undefined,
  { name, features }: Engine,
): void {
  if (plan === undefined) return;
  const { handlers, socket } = plan;
  if (socket.deflate !== undefined && !features.webSocketDeflate) {
    console.warn(
      `The ${name} engine cannot compress: perMessageDeflate has no effect`,
    );
  }
  if ((handlers.ping || handlers.pong) && !features.webSocketPings) {
    console.warn(
      `The ${name} engine does not show pings: the ping and pong handlers are never called`,
    );
  }
}
