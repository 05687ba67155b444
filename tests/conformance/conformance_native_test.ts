import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";
import { resolveHttpOptions } from "../../src/options/http_options.ts";
import { conformance } from "./runner.ts";

const engine = loadNativeEngine();
if (engine === undefined) {
  Deno.test({
    name: `conformance (native) [skipped: ${nativeEngineFailure()?.reason}]`,
    ignore: true,
    fn: () => {},
  });
} else {
  const { listen } = resolveHttpOptions({
    fetch: () => new Response(""),
    hostname: "127.0.0.1",
    port: 0,
  });
  conformance("native", { webSockets: engine.unable(listen, true) });
}
