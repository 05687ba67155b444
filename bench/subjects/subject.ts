/**
 * Who is measured.
 *
 * @module
 */

import type { Command } from "../method/server_process.ts";
import type { Workload } from "../workloads/workload.ts";
import type { ServerPlan } from "./programs/server_plan.ts";

/** Names a subject on the command line. */
export type SubjectId =
  | "native"
  | "deno-engine"
  | "deno"
  | "bun"
  | "node"
  | "floor";

/** All subjects, in the order of tables. */
export const subjectIds: readonly SubjectId[] = [
  "native",
  "deno-engine",
  "deno",
  "bun",
  "node",
  "floor",
];

/** Ours is compared with peers; the floor is no server, only a number. */
export type SubjectRole = "ours" | "peer" | "floor";

/** What tables say of each. */
export const subjectTitles: Readonly<Record<SubjectId, string>> = {
  "native": "ours, native engine",
  "deno-engine": "ours, deno engine",
  "deno": "Deno by hand",
  "bun": "Bun",
  "node": "Node",
  "floor": "floor: epoll loop in C",
};

/** Whether it is ours, a peer or the floor. */
export function roleOf(id: SubjectId): SubjectRole {
  if (id === "floor") return "floor";
  return id === "native" || id === "deno-engine" ? "ours" : "peer";
}

/** A subject that was found on this system. */
export interface Subject {
  /** Its name on the command line and in results. */
  readonly id: SubjectId;
  /** Versions of what runs it. */
  readonly version: string;
  /** How to start it. */
  readonly command: (plan: ServerPlan) => Command;
  /** What its announcement must say of the engine; undefined for anything. */
  readonly engine?: string;
  /** Whether it is meant for a workload. */
  readonly applies: (workload: Workload) => boolean;
  /** Why it cannot serve a workload that it is meant for; undefined if it can. */
  readonly lacks: (workload: Workload) => string | undefined;
}
