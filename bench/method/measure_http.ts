import type { HttpTarget } from "../load/load.ts";
import { chooseHttpLoad } from "../load/tools.ts";
import type { HttpLoadPlan } from "../workloads/workload.ts";
import { checkAnswer } from "./http_check.ts";
import type { Measured, Step } from "./measure.ts";
import { sentFile, type Setup } from "./setup.ts";
import { startSubject } from "./start_subject.ts";
import { watch } from "./watch.ts";

/**
 * Measures requests that are sent as fast as they are answered.
 *
 * @throws {Error} If an answer is wrong, or no load generator fits.
 */
export async function measureHttp(
  step: Step,
  plan: HttpLoadPlan,
  { tools, folder, durations }: Setup,
): Promise<Measured> {
  const { workload, connections } = step;
  await using server = await startSubject(step, folder);
  const scheme = workload.service.tls ? "https" : "http";
  const target: HttpTarget = {
    origin: `${scheme}://127.0.0.1:${server.port}`,
    request: plan.request,
    contentFile: plan.request.content ? sentFile(folder, workload) : undefined,
    status: plan.expected.status,
    answerBytes: plan.expected.content().length,
    connections,
    pipelined: plan.pipelined,
    closes: plan.closes,
    rate: undefined,
  };
  const load = chooseHttpLoad(tools, target);
  await checkAnswer(target.origin, plan.request, plan.expected);
  await load.run(target, durations.warmUp);
  const metrics = await watch(
    server,
    () => load.run(target, durations.load),
  );
  return { load: load.name, metrics };
}
