/**
 * What all measurements of a run share.
 *
 * @module
 */

import type { LoadTools } from "../load/tools.ts";
import type { ServerPlan } from "../subjects/programs/server_plan.ts";
import { fileContent } from "../workloads/content.ts";
import { BLOCK_MILLISECONDS } from "../workloads/stall.ts";
import type { Workload } from "../workloads/workload.ts";

/** How long things take, in seconds. */
export interface Durations {
  /** Load before the measurement starts. */
  readonly warmUp: number;
  /** Load that is measured. */
  readonly load: number;
  /** Load that is measured while JavaScript is blocked once a second. */
  readonly stall: number;
}

/** What all measurements of a run share. */
export interface Setup {
  /** What makes load. */
  readonly tools: LoadTools;
  /** Temporary files. */
  readonly folder: string;
  /** How long things take. */
  readonly durations: Durations;
}

/** How old files are when they are served first, in milliseconds. */
const FILE_AGE = 4_000;

/** Makes the files that workloads serve and send. */
export async function writeFiles(
  workloads: readonly Workload[],
  folder: string,
): Promise<void> {
  const sizes = new Set(workloads.map(({ service }) => service.fileSize ?? 0));
  for (const size of sizes) {
    await Deno.writeFile(servedFile(folder, size), fileContent(size));
  }
  for (const workload of workloads) {
    if (workload.load.kind !== "http") continue;
    const { content } = workload.load.request;
    await Deno.writeTextFile(sentFile(folder, workload), content);
  }
  // Files that are served have rarely changed within the last seconds.
  if (sizes.size > 1) {
    await new Promise((resolve) => setTimeout(resolve, FILE_AGE));
  }
}

/** The file that a subject serves. */
export function servedFile(folder: string, size: number): string {
  return `${folder}/${size}.bin`;
}

/** The file with the content that a workload sends. */
export function sentFile(folder: string, workload: Workload): string {
  return `${folder}/${workload.name}.request`;
}

const certificates = new URL("../../tests/fixtures/tls/", import.meta.url);

/**
 * What the program of a subject is told.
 *
 * @param port Where to listen; 0 is anywhere.
 */
export async function serverPlan(
  { service }: Workload,
  folder: string,
  port = 0,
): Promise<ServerPlan> {
  const plan: ServerPlan = {
    service: service.name,
    variant: service.variant,
    port,
    file: servedFile(folder, service.fileSize ?? 0),
    blockMilliseconds: BLOCK_MILLISECONDS,
  };
  if (!service.tls) return plan;
  const [cert, key] = await Promise.all(
    ["cert.pem", "key.pem"].map((name) =>
      Deno.readTextFile(new URL(name, certificates))
    ),
  );
  return { ...plan, tls: { cert: cert!, key: key! } };
}
