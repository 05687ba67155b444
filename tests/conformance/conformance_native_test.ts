import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";
import { conformance } from "./runner.ts";

if (loadNativeEngine() === undefined) {
  Deno.test({
    name: `conformance (native) [skipped: ${nativeEngineFailure()?.reason}]`,
    ignore: true,
    fn: () => {},
  });
} else {
  conformance("native");
}
