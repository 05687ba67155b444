/**
 * The side of the oracle that real Bun runs: runs one case and reports what
 * came of it, as one line of JSON.
 *
 *     bun oracle_child.ts area/name folder
 *
 * @module
 */
import process from "node:process";
import { readFileSync } from "node:fs";
import { areas } from "./cases/mod.ts";
import { type Implementation, runCase } from "./recorder.ts";

/** Begins the report. */
export const MARK = "facts ";

async function main(bun: Implementation): Promise<void> {
  const [name, directory] = process.argv.slice(2);
  const separator = name!.indexOf("/");
  const testCase = areas[name!.slice(0, separator)]!
    .find((element) => element.name === name!.slice(separator + 1))!;
  const pem = (name: string) =>
    readFileSync(new URL(`./tls/${name}`, import.meta.url), "utf8");
  const report = await runCase(testCase, bun, pem, `${directory}/socket`).then(
    (facts) => ({ facts }),
    (error) => ({ error: String(error) }),
  );
  process.stdout.write(`${MARK}${JSON.stringify(report)}\n`);
  process.exit(0);
}

const { Bun } = globalThis as { Bun?: Implementation };
if (Bun !== undefined) await main(Bun);
