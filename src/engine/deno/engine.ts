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

const features: EngineFeatures = {
  closeIdleConnections: false,
  connectionClose: false,
  getContent: false,
  headDeadline: false,
  http2: true,
  ipv6Only: false,
  reusePort: false,
  silentAbort: false,
};

const files = new FileCache(openFile);

/** The engine that runs wherever Deno runs. */
export const denoEngine: Engine = {
  name: "deno",
  features,
  listenHttp(plan: HttpListenPlan, handler: HttpHandler): HttpListener {
    return new DenoHttpListener(plan, handler);
  },
  openFile: (path) => files.open(path),
};
