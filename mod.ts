/**
 * The JSTime (Bun) network API for Deno: an HTTP server with routes, typed
 * parameters, static responses, files, cookies, WebSockets and TLS; TCP servers
 * and clients.
 *
 * A server written for Bun runs on Deno after changing its import.
 *
 * @example
 * ```ts
 * import { serve } from "@jstime/serve";
 *
 * const server = serve({
 *   port: 0,
 *   routes: {
 *     "/": new Response("Hello"),
 *     "/users/:id": (request) => Response.json({ id: request.params.id }),
 *   },
 * });
 * const user = await fetch(new URL("/users/7", server.url));
 * console.log(await user.json());
 * await server.stop();
 * ```
 *
 * @module
 */

export { serve } from "./src/serve.ts";
export { listen } from "./src/listen.ts";
export { connect } from "./src/connect.ts";
export { file } from "./src/file.ts";
export { type EventStreamOptions, sse } from "./src/sse.ts";
export type { EventStream } from "./src/sse/event_stream.ts";
export { ArrayBufferSink, type ArrayBufferSinkOptions } from "./src/sink.ts";
export { JSTime, type JSTimeNamespace } from "./src/jstime.ts";
export {
  Cookie,
  type CookieInit,
  type CookieSameSite,
} from "./src/http/cookies/cookie.ts";
export {
  CookieMap,
  type CookieStoreDeleteOptions,
} from "./src/http/cookies/cookie_map.ts";
export type { Server } from "./src/server.ts";
export type {
  HttpMetrics as ServerMetrics,
  StallMetrics,
} from "./src/engine/engine.ts";
export type {
  JSTimeRequest,
  MaybePromise,
  RouteHandler,
  Serve,
  SocketAddress,
} from "./src/serve_types.ts";
export type {
  ServerWebSocket,
  ServerWebSocketSendStatus,
  WebSocketBinaryType,
  WebSocketBytes,
  WebSocketCompressor,
  WebSocketDeflateOptions,
  WebSocketHandler,
  WebSocketPolicy,
  WebSocketPublishOptions,
  WebSocketReadyState,
  WebSocketTopicOptions,
} from "./src/websocket/types.ts";
export type {
  BinaryType,
  BinaryTypeList,
  Socket,
  SocketHandler,
  SocketListener,
  SocketOptions,
  TCPSocketConnectOptions,
  TCPSocketListener,
  TCPSocketListenOptions,
  TLSUpgradeOptions,
  UnixSocketListener,
  UnixSocketOptions,
} from "./src/tcp/socket_types.ts";
export type {
  CertificateName,
  PeerCertificate,
} from "./src/tls/peer_certificate.ts";
export type { TLSMaterial, TLSOptions } from "./src/options/tls_options.ts";
export type { FileOptions } from "./src/file.ts";
export type { FileSource } from "./src/file/file_stream.ts";
export type { FileSink, FileSinkOptions } from "./src/file/file_writer.ts";
export type { JSTimeFile } from "./src/file/jstime_file.ts";
export type { FileContent, FileWriteOptions } from "./src/file/write_file.ts";
