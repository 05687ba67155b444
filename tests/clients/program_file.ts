/**
 * Programs that use this package together with packages from npm.
 *
 * @module
 */
import { repository } from "../entry/running_program.ts";

/** What a program's specifiers stand for, as its `deno.json` would say. */
const imports: Readonly<Record<string, string>> = {
  "@jstime/serve": `file://${repository}mod.ts`,
  "@jstime/serve/global": `file://${repository}src/entry/global.ts`,
  "bun": `file://${repository}src/entry/bun.ts`,
  "@std/http/etag": `file://${repository}tests/std/http/etag.ts`,
};

/** A program beside the packages that it imports; removed when disposed. */
export class ProgramFile implements AsyncDisposable {
  readonly #paths: readonly string[];
  /** Arguments for `deno` that run it. */
  readonly args: readonly string[];

  private constructor(program: string, configuration: string) {
    this.#paths = [program, configuration];
    this.args = [
      ...["run", "-A", "--no-lock", `--config=${configuration}`],
      program,
    ];
  }

  /** Writes a program into a folder with packages. */
  static async write(folder: string, text: string): Promise<ProgramFile> {
    // Other checkouts may use the same folder at the same time.
    const name = crypto.randomUUID();
    const file = new ProgramFile(
      `${folder}/${name}.ts`,
      `${folder}/${name}.json`,
    );
    const configuration = { nodeModulesDir: "manual", imports };
    const [program, configured] = file.#paths;
    await Deno.writeTextFile(configured!, JSON.stringify(configuration));
    await Deno.writeTextFile(program!, text);
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#paths) await Deno.remove(path);
  }
}
