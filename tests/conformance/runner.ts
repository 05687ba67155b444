/**
 * Registers the conformance cases as tests of one of our engines.
 *
 * @module
 */
import { file, serve } from "../../mod.ts";
import {
  type CaseApi,
  type CaseServer,
  type ConformanceCase,
  type EngineName,
  stepsOf,
} from "./case.ts";
import { areas } from "./cases/mod.ts";
import { type Engine, runCase, type RunningServer } from "./exchange.ts";
import { createFixtures } from "./fixtures.ts";

/** Registers one test per case, named `conformance (engine): area/name`. */
export function conformance(name: EngineName): void {
  let fixtures: Promise<string> | undefined;
  const engine = ourEngine(name, () => fixtures ??= createFixtures());
  Deno.test.afterAll(async () => {
    if (fixtures !== undefined) {
      await Deno.remove(await fixtures, { recursive: true });
    }
  });
  for (const [area, cases] of Object.entries(areas)) {
    for (const testCase of cases) {
      const reason = testCase.skip?.[name];
      Deno.test({
        name: `conformance (${name}): ${area}/${testCase.name}` +
          (reason === undefined ? "" : ` [skipped: ${reason}]`),
        ignore: reason !== undefined,
        fn: () => runCase(engine, testCase),
      });
    }
  }
}

function ourEngine(
  name: EngineName,
  fixturesOf: () => Promise<string>,
): Engine {
  return {
    name,
    async start(testCase: ConformanceCase): Promise<RunningServer> {
      const log: string[] = [];
      const start = (options: unknown) => serve(options as never) as unknown;
      const api: CaseApi = {
        file: file as unknown as CaseApi["file"],
        serve: (options) => start(options) as CaseServer,
        fixtures: await fixturesOf(),
        log: (fact) => log.push(fact),
      };
      const server = start({
        port: 0,
        hostname: "127.0.0.1",
        development: false,
        engine: name,
        ...testCase.server(api),
      }) as CaseServer;
      // What needs no JavaScript is published when its content has been read.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return {
        port: server.port,
        log,
        async run(position) {
          const step = stepsOf(testCase)[position];
          if (step && "run" in step) await step.run(server, api);
        },
        settle: () => Promise.resolve(),
        stop: () => server.stop(true),
      };
    },
  };
}
