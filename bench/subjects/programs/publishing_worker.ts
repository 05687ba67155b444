// Run as a Worker by Bun and Deno.

declare function postMessage(message: string): void;

setInterval(() => {
  const milliseconds = performance.timeOrigin + performance.now();
  postMessage(String(Math.round(milliseconds * 1000)));
}, 20);
