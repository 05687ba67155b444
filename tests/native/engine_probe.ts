/**
 * Says whether the native engine can be used, for tests of what it needs.
 *
 * @module
 */

import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";

const engine = loadNativeEngine();
const failure = nativeEngineFailure();
console.log(
  engine !== undefined
    ? "loaded"
    : `${failure!.isFault ? "fault: " : ""}${failure!.reason}`,
);
