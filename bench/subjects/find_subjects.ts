/**
 * Finds out which subjects this system can run.
 *
 * @module
 */

import { ServerProcess } from "../method/server_process.ts";
import { bunVersion, findBun } from "../tools/bun_program.ts";
import { installPackage, packageVersions } from "../tools/cache.ts";
import { compile, findCompiler } from "../tools/compiler.ts";
import { findProgram } from "../tools/program.ts";
import type { Workload } from "../workloads/workload.ts";
import { denoSubject, ourSubject } from "./deno_subjects.ts";
import type { ServerPlan } from "./programs/server_plan.ts";
import type { Subject, SubjectId } from "./subject.ts";

/** A subject that this system cannot run. */
export interface MissingSubject {
  /** Which. */
  readonly id: SubjectId;
  /** Why, and what to do about it. */
  readonly reason: string;
}

/** What was looked for. */
export interface SubjectSearch {
  /** Those that can run, in the order asked for. */
  readonly found: readonly Subject[];
  /** Those that cannot. */
  readonly missing: readonly MissingSubject[];
}

/**
 * Finds subjects.
 *
 * @param folder Where programs may be compiled to.
 */
export async function findSubjects(
  ids: readonly SubjectId[],
  folder: string,
): Promise<SubjectSearch> {
  const found: Subject[] = [];
  const missing: MissingSubject[] = [];
  for (const id of ids) {
    try {
      found.push(await finders[id](folder));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      missing.push({ id, reason });
    }
  }
  return { found, missing };
}

const finders: Readonly<
  Record<SubjectId, (folder: string) => Promise<Subject> | Subject>
> = {
  "native": findNative,
  "deno-engine": () => ourSubject("deno"),
  "deno": () => denoSubject(),
  "bun": findBunSubject,
  "node": findNodeSubject,
  "floor": findFloor,
};

const programs = `${import.meta.dirname}/programs`;

async function findNative(): Promise<Subject> {
  const subject = ourSubject("native");
  const plan: ServerPlan = {
    service: "http",
    variant: "hello",
    port: 0,
    file: "",
    blockMilliseconds: 0,
  };
  await using _ = await ServerProcess.start(subject.command(plan));
  return subject;
}

async function findBunSubject(): Promise<Subject> {
  const bun = await findBun();
  if (bun === undefined) {
    throw new Error(
      `Bun is missing: install it with npm i -g bun@${bunVersion}`,
    );
  }
  return {
    id: "bun",
    version: `Bun ${bun.version}`,
    command: (plan) => ({
      program: bun.path,
      args: ["run", `${programs}/bun.ts`, JSON.stringify(plan)],
      env: {},
    }),
    applies: () => true,
    lacks: () => undefined,
  };
}

async function findNodeSubject(): Promise<Subject> {
  const node = await findProgram([Deno.env.get("NODE"), "node"], "--version");
  if (node === undefined) {
    throw new Error("Node is missing: install it, or set NODE to its path");
  }
  // Without ws, HTTP and TCP are measured all the same.
  const ws = await installPackage("ws").catch((error: Error) => error);
  return {
    id: "node",
    version: `Node ${node.version}, ws ${packageVersions.ws}`,
    command: (plan) => ({
      program: node.path,
      args: [
        `${programs}/node/main.mjs`,
        JSON.stringify(typeof ws === "string" ? { ...plan, ws } : plan),
      ],
      env: { NODE_ENV: "production" },
    }),
    applies: () => true,
    lacks: ({ service }) =>
      (service.name === "websocket" || service.name === "stall") &&
        typeof ws !== "string"
        ? `the package ws is missing: ${ws.message}`
        : undefined,
  };
}

async function findFloor(folder: string): Promise<Subject> {
  const compiler = await findCompiler();
  if (compiler === undefined) {
    throw new Error("no C compiler: install one, or set CC");
  }
  const sources = `${import.meta.dirname}/../floor`;
  const program = await compile(compiler, sources, `${folder}/floor`);
  return {
    id: "floor",
    version: compiler.version,
    command: ({ service, port, variant, file }) => ({
      program,
      args: [
        service === "tcp" ? "tcp" : "http",
        String(port),
        ...(variant === "file" ? [file] : []),
      ],
      env: {},
    }),
    applies: isForFloor,
    lacks: () => undefined,
  };
}

/** The floor answers one thing; more would make a server of it. */
function isForFloor({ name, service }: Workload): boolean {
  return service.name === "tcp" ||
    service.name === "http" && !service.tls && name !== "range" &&
      ["hello", "static", "file"].includes(service.variant);
}
