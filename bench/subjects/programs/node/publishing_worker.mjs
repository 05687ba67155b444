// Says what time it is, 50 times a second, in microseconds since 1970.
import { parentPort } from "node:worker_threads";

setInterval(() => {
  const milliseconds = performance.timeOrigin + performance.now();
  parentPort.postMessage(String(Math.round(milliseconds * 1000)));
}, 20);
