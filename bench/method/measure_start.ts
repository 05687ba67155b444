import type { Measured, Step } from "./measure.ts";
import { spawn, stop } from "./server_process.ts";
import { serverPlan, type Setup } from "./setup.ts";

const LONGEST_MILLISECONDS = 20_000;
const REQUEST = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
);

/**
 * Measures the time from starting a program to the first byte of its first
 * answer.
 *
 * @throws {Error} If there is no answer in time.
 */
export async function measureStart(
  step: Step,
  { folder }: Setup,
): Promise<Measured> {
  // The first start fills the caches of the system and of the runtime.
  await timeToFirstAnswer(step, folder);
  const startTime = await timeToFirstAnswer(step, folder);
  return { load: "first request", metrics: { startTime } };
}

async function timeToFirstAnswer(
  { subject, workload }: Step,
  folder: string,
): Promise<number> {
  const port = freePort();
  const command = subject.command(await serverPlan(workload, folder, port));
  const start = performance.now();
  const child = spawn(command);
  const drained = Promise.all([
    child.stdout.pipeTo(new WritableStream()),
    child.stderr.pipeTo(new WritableStream()),
  ]);
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  try {
    while (!await answers(port)) {
      if (hasEnded) throw new Error("it ended before its first answer");
      if (performance.now() - start > LONGEST_MILLISECONDS) {
        throw new Error("no answer in time");
      }
    }
    return performance.now() - start;
  } finally {
    await stop(child);
    await drained;
  }
}

/** A port on which nobody listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(REQUEST);
    const buffer = new Uint8Array(1024);
    const count = await connection.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    return text.startsWith("HTTP/1.1 200 ");
  } catch {
    // Trying again at once would take the CPU away from the server.
    await new Promise((resolve) => setTimeout(resolve, 1));
    return false;
  }
}
