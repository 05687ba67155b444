/**
 * Turns the options of `serve` into one frozen plan. Everything about options
 * is decided here, so that nothing after it looks at them again.
 *
 * @module
 */

import type { HttpListenPlan, HttpTlsPlan } from "../engine/engine.ts";
import type { Serve } from "../serve_types.ts";
import { addressOptions } from "./address_options.ts";
import { busOption } from "./publish_options.ts";
import {
  handlerOptions,
  type HandlerPlan,
  optionsRecord,
  requireHandler,
} from "./handler_options.ts";
import { limitsOption, pendingRequestsOption } from "./limit_options.ts";
import { operationOptions } from "./operation_options.ts";
import { invalidOption } from "./option_error.ts";
import {
  bodySizeOption,
  booleanOption,
  developmentOption,
  engineOption,
  idleTimeoutOption,
  stringOption,
} from "./simple_options.ts";
import { resolveHttpTls } from "./tls_options.ts";
import {
  webSocketOption,
  type WebSocketServerPlan,
} from "./websocket_options.ts";

/** Everything that `serve` needs to know; frozen. */
export interface HttpServePlan extends HandlerPlan {
  /** What the engine needs. */
  readonly listen: HttpListenPlan;
  /** `hostname` as given, or the default. */
  readonly hostname: string;
  /** Host for URLs, without brackets: as given, else `localhost`. */
  readonly urlHostname: string;
  /** Whether errors are shown to clients. */
  readonly development: boolean;
  /** Name of the server; empty if none was given. */
  readonly id: string;
  /** Which engine to use. */
  readonly engine: "auto" | "deno" | "native";
  /** What happens to WebSockets; undefined if there can be none. */
  readonly webSocket: WebSocketServerPlan | undefined;
  /** With whom topics are shared; undefined for nobody. */
  readonly bus: string | undefined;
}

/** The handlers to replace; absent keys stay as they are. */
export interface ReloadPlan {
  /** Routes by pattern, replacing all. */
  readonly routes?: Readonly<Record<string, unknown>>;
  /** Answers what no route matched. */
  readonly fetch?: Serve.FetchHandler;
  /** Answers for handlers that failed. */
  readonly error?: Serve.ErrorHandler;
  /** What happens to WebSockets. */
  readonly webSocket?: WebSocketServerPlan;
  /** Certificates for new connections. */
  readonly tls?: HttpTlsPlan;
}

/**
 * Resolves the options of `serve`. An explicit `undefined` means absent, and
 * unknown keys are ignored.
 *
 * @throws {TypeError} If an option has the wrong type, two exclude each other,
 * or there is no handler. `code` is `ERR_INVALID_ARG_TYPE` or, for a
 * certificate or key, `ERR_INVALID_ARG_VALUE`.
 * @throws {RangeError} If a number is out of range; `code` is
 * `ERR_OUT_OF_RANGE`.
 * @throws {Error} If a certificate or key file cannot be read; `code` is for
 * example `ENOENT`.
 */
export function resolveHttpOptions(options: unknown): HttpServePlan {
  const record = optionsRecord(options);
  const http2 = checkVersions(record);
  const handlers = handlerOptions(record);
  requireHandler(handlers);
  const { address, hostname, urlHostname } = addressOptions(record);
  const listen: HttpListenPlan = {
    address,
    tls: resolveHttpTls(record.tls),
    http2,
    maxRequestBodySize: bodySizeOption(record.maxRequestBodySize),
    idleTimeout: idleTimeoutOption(record.idleTimeout),
    maxPendingRequests: pendingRequestsOption(record.maxPendingRequests),
    limits: limitsOption(record.limits),
    ...operationOptions(record),
  };
  return Object.freeze<HttpServePlan>({
    ...handlers,
    listen: Object.freeze(listen),
    hostname,
    urlHostname,
    development: developmentOption(record.development),
    id: stringOption("id", record.id) ?? "",
    engine: engineOption(record.engine),
    webSocket: webSocketOption(record.websocket),
    bus: busOption(record.bus),
  });
}

/**
 * Resolves the options of `reload`. Keys that cannot be changed while a server
 * runs are ignored, whatever they hold.
 *
 * @throws {TypeError} If a handler has the wrong type, or a certificate is
 * wrong.
 * @throws {Error} If a certificate or key file cannot be read.
 */
export function resolveReloadOptions(options: unknown): ReloadPlan {
  const record = optionsRecord(options);
  const { routes, fetch, error } = handlerOptions(record);
  const webSocket = webSocketOption(record.websocket);
  const tls = resolveHttpTls(record.tls);
  return Object.freeze<ReloadPlan>({
    ...(routes && { routes }),
    ...(fetch && { fetch }),
    ...(error && { error }),
    ...(webSocket && { webSocket }),
    ...(tls && { tls }),
  });
}

/** Refuses what nobody speaks; whether HTTP/2 is asked for. */
function checkVersions(options: Readonly<Record<string, unknown>>): boolean {
  const { http1, http2, http3 } = options;
  if (!booleanOption("http1", http1, true)) {
    throw invalidOption(
      `Cannot use http1 ${http1}: HTTP/1.1 cannot be turned off`,
    );
  }
  if (booleanOption("http3", http3, false)) {
    throw invalidOption(`Cannot use http3 ${http3}: HTTP/3 is not supported`);
  }
  return booleanOption("http2", http2, false);
}
