import type {
  Engine,
  EngineBus,
  EngineFeatures,
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  HttpTlsPlan,
  OpenFile,
} from "../engine.ts";
import { readEnvironment } from "../../runtime/environment.ts";
import { broadcast } from "./broadcast.ts";
import { NativeBus } from "./bus.ts";
import { digests } from "./digests.ts";
import { sendEvent } from "./event_stream.ts";
import { SharedLibrary } from "./library.ts";
import { findLibrary, platformName } from "./library_path.ts";
import { NativeHttpListener } from "./listener.ts";
import { NativeFileOpener } from "./open_file.ts";
import { SharedRuntime } from "./shared_runtime.ts";
import { NativeTcp } from "./tcp.ts";
import { unusableIn } from "./tls_certificates.ts";

const features: EngineFeatures = {
  closeIdleConnections: true,
  connectionClose: true,
  getContent: true,
  headDeadline: true,
  http2: true,
  httpClientCertificates: true,
  ipv6Only: true,
  limits: true,
  replaceSingleCertificate: true,
  reusePort: true,
  silentAbort: true,
  stallProof: true,
  webSocketDeflate: true,
  webSocketPause: true,
  webSocketPings: true,
  webSocketStop: true,
  webSocketStrict: true,
};

/** The native engine, for everything that engines do. */
export interface LoadedEngine extends Engine {
  /** For `listen` and `connect`. */
  readonly tcp: NativeTcp;
}

/** The engine that has its sockets on threads of its own. */
class NativeEngine implements LoadedEngine {
  readonly name = "native";
  readonly features: EngineFeatures = features;
  readonly openFile: (path: string) => OpenFile;
  readonly sendEvent: typeof sendEvent = sendEvent;
  readonly broadcast: typeof broadcast = broadcast;
  /** TCP on the same threads. */
  readonly tcp: NativeTcp;
  readonly #library: SharedLibrary;
  readonly #runtime: SharedRuntime;

  constructor(library: SharedLibrary) {
    this.#library = library;
    this.#runtime = new SharedRuntime(library);
    this.tcp = new NativeTcp(this.#runtime);
    const files = new NativeFileOpener(library);
    this.openFile = (path) => files.open(path);
  }

  unable({ tls }: HttpListenPlan): string | undefined {
    if (tls === undefined) return undefined;
    const what = this.#unusableIn(tls);
    return what && `${what} is of a kind that it does not support`;
  }

  #unusableIn(tls: HttpTlsPlan): string | undefined {
    const helper = this.#library.acquire();
    try {
      return unusableIn(helper, tls);
    } finally {
      this.#library.release();
    }
  }

  listenHttp(plan: HttpListenPlan, handler: HttpHandler): HttpListener {
    const runtime = this.#runtime.acquire();
    const onStop = () => this.#runtime.release();
    try {
      return new NativeHttpListener(runtime, plan, handler, onStop);
    } catch (error) {
      onStop();
      throw error;
    }
  }

  joinBus(name: string): EngineBus {
    const runtime = this.#runtime.acquire();
    try {
      return new NativeBus(this.#library, runtime.handle, name);
    } finally {
      // The server that joins keeps the threads.
      this.#runtime.release();
    }
  }
}

/** Why the native engine cannot be used here. */
export interface NativeEngineFailure {
  /** To put after "Cannot use engine …:"; no full stop. */
  readonly reason: string;
  /**
   * The helper is there but does not load, which somebody should be told even
   * if another engine can serve; if not, there is none for this platform, or
   * permission to load it is missing.
   */
  readonly isFault: boolean;
}

let engine: NativeEngine | undefined;
let failure: NativeEngineFailure | undefined;

/**
 * Loads the native engine; it never prompts for permissions. What failed is
 * tried again by the next call, unless the helper is broken.
 *
 * @returns undefined if it cannot be used here; `nativeEngineFailure` says why.
 */
export function loadNativeEngine(): LoadedEngine | undefined {
  if (engine !== undefined || failure?.isFault) return engine;
  const loaded = load();
  if ("reason" in loaded) failure = loaded;
  else engine = loaded;
  return engine;
}

/** Why `loadNativeEngine` returned undefined; undefined if it did not. */
export function nativeEngineFailure(): NativeEngineFailure | undefined {
  return engine === undefined ? failure : undefined;
}

function load(): NativeEngine | NativeEngineFailure {
  const base = new URL("./lib/", import.meta.url);
  const found = findLibrary({
    given: readEnvironment("JSTIME_NATIVE_LIBRARY"),
    platform: platformName(),
    base,
    digests,
  });
  if (typeof found !== "string") return found;
  const library = new SharedLibrary(found);
  try {
    library.acquire();
    library.release();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, isFault: true };
  }
  return new NativeEngine(library);
}
