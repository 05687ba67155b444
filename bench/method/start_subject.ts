import { ServerProcess } from "./server_process.ts";
import type { Step } from "./measure.ts";
import { serverPlan } from "./setup.ts";

/**
 * Starts the server of a subject.
 *
 * @throws {Error} If it does not start, or is another engine than asked for.
 */
export async function startSubject(
  { subject, workload }: Step,
  folder: string,
): Promise<ServerProcess> {
  const plan = await serverPlan(workload, folder);
  const server = await ServerProcess.start(subject.command(plan));
  const { engine } = server.announcement;
  if (
    engine !== undefined && subject.engine !== undefined &&
    engine !== subject.engine
  ) {
    await server[Symbol.asyncDispose]();
    throw new Error(`it runs on the ${engine} engine`);
  }
  return server;
}
