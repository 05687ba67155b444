/**
 * What results say of workloads and subjects.
 *
 * @module
 */

import type { Case } from "../settings.ts";
import { roleOf, type Subject, subjectTitles } from "../subjects/subject.ts";
import type { SubjectFacts, WorkloadFacts } from "./results.ts";

/** The workloads of some cases, each once. */
export function workloadFacts(
  cases: readonly Case[],
): readonly WorkloadFacts[] {
  return [...new Set(cases.map(({ workload }) => workload))].map((
    { name, title, group, operation, isHeadline, load },
  ) => ({
    name,
    title,
    group,
    operation,
    isClosedLoop: load.kind === "http" || load.kind === "sockets",
    isHeadline,
  }));
}

/** A subject. */
export function subjectFacts(
  { id, version, command }: Subject,
): SubjectFacts {
  const { program, args, env } = command({
    service: "http",
    variant: "hello",
    port: 0,
    file: "",
    blockMilliseconds: 0,
  });
  const settings = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  // The last argument is the plan, which differs from workload to workload.
  const flags = id === "floor" ? [] : args.slice(0, -1);
  const root = new URL("../../", import.meta.url).pathname;
  return {
    id,
    title: subjectTitles[id],
    role: roleOf(id),
    version,
    command: [...settings, program, ...flags].join(" ").replaceAll(root, ""),
  };
}
