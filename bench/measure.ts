/**
 * Measures one subject once.
 *
 * @module
 */

import type { LoadGenerator, LoadResult } from "./load.ts";
import { ServerProcess } from "./server_process.ts";
import type { Subject } from "./subjects.ts";
import type { Workload } from "./workloads.ts";

/** One measurement of one fresh process. */
export interface Sample extends LoadResult {
  /** The workload's name. */
  readonly workload: string;
  /** The subject's name. */
  readonly subject: string;
  /** Which round it belongs to, from 0. */
  readonly round: number;
  /** CPU time of the server per answer, in microseconds. */
  readonly cpuMicroseconds: number;
  /** Share of the time in which the server used a CPU; over 1 with threads. */
  readonly cpuShare: number;
  /** Peak resident memory of the server, in bytes. */
  readonly peakMemory: number;
}

/** How long things take, in seconds. */
export interface Durations {
  /** Load before the measurement starts. */
  readonly warmUp: number;
  /** Load that is measured. */
  readonly load: number;
}

/**
 * Starts a subject, checks its answer, warms it up, measures, stops it.
 *
 * @throws {Error} When the subject answers wrongly.
 */
export async function measure(
  subject: Subject,
  workload: Workload,
  round: number,
  generator: LoadGenerator,
  durations: Durations,
): Promise<Sample> {
  await using server = await ServerProcess.start(subject);
  await checkAnswer(subject, workload, server.port);
  await generator.run(server.port, workload, durations.warmUp);
  const before = await server.cpuSeconds();
  const result = await generator.run(server.port, workload, durations.load);
  const cpu = await server.cpuSeconds() - before;
  return {
    workload: workload.name,
    subject: subject.name,
    round,
    ...result,
    cpuMicroseconds: cpu * 1e6 / result.answers,
    cpuShare: cpu * result.requestsPerSecond / result.answers,
    peakMemory: await server.peakMemory(),
  };
}

async function checkAnswer(
  subject: Subject,
  workload: Workload,
  port: number,
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${workload.path}`, {
    method: workload.method,
    body: workload.content || null,
    headers: workload.content ? { "content-type": "application/json" } : {},
  });
  const content = await response.bytes();
  const expected = workload.answer();
  if (
    response.status !== 200 || content.length !== expected.length ||
    content.some((byte, index) => byte !== expected[index])
  ) {
    throw new Error(
      `Cannot measure ${subject.name} on ${workload.title}: ` +
        `wrong answer, status ${response.status}, ${content.length} bytes`,
    );
  }
}
