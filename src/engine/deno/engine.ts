import { openFile } from "../../runtime/file_system.ts";
import type {
  Engine,
  EngineFeatures,
  HttpHandler,
  HttpListener,
  HttpListenPlan,
} from "../engine.ts";
import { FileCache } from "./file_cache.ts";
import { DenoHttpListener } from "./http_listener.ts";
import { DenoTlsHttpListener } from "./tls_http_listener.ts";

const features: EngineFeatures = {
  closeIdleConnections: false,
  connectionClose: false,
  getContent: false,
  headDeadline: false,
  http2: true,
  httpClientCertificates: false,
  ipv6Only: false,
  limits: false,
  replaceSingleCertificate: false,
  reusePort: false,
  silentAbort: false,
  stallProof: false,
  webSocketDeflate: false,
  webSocketPause: false,
  webSocketPings: false,
  webSocketStop: false,
  webSocketStrict: false,
};

const files = new FileCache(openFile);

/** The engine that runs wherever Deno runs. */
export const denoEngine: Engine = {
  name: "deno",
  features,
  unable: ({ tls }) =>
    tls?.certificates.some(({ clients }) => clients !== undefined)
      ? "Deno.serve cannot ask clients for certificates (tls.requestCert)"
      : undefined,
  listenHttp(plan: HttpListenPlan, handler: HttpHandler): HttpListener {
    const { tls, address } = plan;
    // `Deno.serve` speaks TLS with one certificate, which it keeps, and over
    // TCP. Within these bounds nothing is faster.
    return tls !== undefined && (tls.isList || address.transport === "unix")
      ? new DenoTlsHttpListener(plan, tls, handler)
      : new DenoHttpListener(plan, handler);
  },
  openFile: (path) => files.open(path),
};
