import { invalidOption, wrongType } from "../options/option_error.ts";
import {
  exchangeOf,
  isOwnedBy,
  touchedCookies,
} from "../http/incoming_request.ts";
import { handshakeHeaders, handshakeOf, versionRefusal } from "./handshake.ts";
import type { WebSocketHub } from "./hub.ts";
import { ServerSocket } from "./server_web_socket.ts";

/** What `upgrade` may be given. */
export interface UpgradeOptions {
  /** Sent with the answer; those of the handshake itself are left out. */
  readonly headers?: HeadersInit | undefined;
  /** Becomes `socket.data`. */
  readonly data?: unknown;
}

/**
 * Makes a WebSocket of a request.
 *
 * @param server The one that is asked; it can only upgrade its own requests.
 * @returns Whether that was possible.
 * @throws {TypeError} If the server has no `websocket` option, the request is
 * none, or the options are invalid.
 */
export function upgrade(
  server: object,
  hub: WebSocketHub,
  request: unknown,
  options: unknown,
): boolean {
  const { plan } = hub;
  if (plan === undefined) {
    throw invalidOption(
      "Cannot upgrade: the server was started without the websocket option",
    );
  }
  if (!(request instanceof Request)) {
    throw wrongType("request", request, "a Request");
  }
  const { headers, data } = upgradeOptions(options);
  const exchange = exchangeOf(request);
  if (exchange === undefined || exchange.answered) return false;
  if (!isOwnedBy(request, server)) return false;
  const kind = handshakeOf(request);
  if (kind === "other version") exchange.answerNow(versionRefusal());
  if (kind !== "websocket") return false;

  const cookies = touchedCookies(request)?.toSetCookieHeaders() ?? [];
  const answer = handshakeHeaders(request, headers, cookies);
  const address = exchange.remoteAddress()?.address;
  const source = exchange.upgrade(plan.socket, answer, hub);
  if (source === undefined) return false;
  hub.opened(new ServerSocket(hub, source, address, data));
  return true;
}

function upgradeOptions(options: unknown): UpgradeOptions {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") {
    throw wrongType("upgrade options", options, "an object");
  }
  const { headers, data } = options as UpgradeOptions;
  if (headers === undefined || headers === null) return { data };
  if (typeof headers !== "object") {
    throw wrongType("upgrade headers", headers, "Headers or an object");
  }
  return { headers, data };
}
