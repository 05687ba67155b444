/**
 * The side of the oracle that real Bun runs: starts the server of a case on
 * command. Commands and reports are lines of JSON on stdin and stdout.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { type CaseApi, type CaseServer, stepsOf } from "./case.ts";
import { findCase } from "./cases/mod.ts";

/** What the parent asks for. */
export type Command =
  | { do: "start"; name: string; fixtures: string }
  | { do: "run"; position: number }
  | { do: "settle" }
  | { do: "stop" };

/** What the parent is told; `mark` tells reports from a handler's output. */
export type Report =
  & { mark: typeof MARK }
  & (
    | { did: Command["do"]; port?: number; error?: string }
    | { fact: string }
  );

/** Begins every report. */
export const MARK = "conformance";

interface Bun {
  serve(options: unknown): CaseServer;
  file: CaseApi["file"];
}

function report(content: Record<string, unknown>): void {
  process.stdout.write(JSON.stringify({ mark: MARK, ...content }) + "\n");
}

async function main(bun: Bun): Promise<void> {
  let server: CaseServer | undefined;
  let name = "";
  const api: CaseApi = {
    file: bun.file,
    serve: (options) => bun.serve(options),
    fixtures: "",
    log: (fact) => report({ fact }),
  };

  async function perform(command: Command): Promise<{ port?: number }> {
    if (command.do === "start") {
      name = command.name;
      api.fixtures = command.fixtures;
      server = bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        development: false,
        ...findCase(name).server(api),
      });
      return { port: server.port };
    }
    if (command.do === "run") {
      const step = stepsOf(findCase(name))[command.position];
      if (step && "run" in step) await step.run(server!, api);
    }
    if (command.do === "stop") await server?.stop(true);
    return {};
  }

  // A case whose handler rejects must not take the other cases with it.
  process.on("uncaughtException", () => {});
  process.on("unhandledRejection", () => {});
  for await (const line of createInterface({ input: process.stdin })) {
    const command: Command = JSON.parse(line);
    // Not awaited: a step may wait for what a later command brings about.
    perform(command).then(
      (result) => report({ did: command.do, ...result }),
      (error) => report({ did: command.do, error: String(error) }),
    );
  }
  process.exit(0);
}

const { Bun } = globalThis as { Bun?: Bun };
if (Bun !== undefined) await main(Bun);
