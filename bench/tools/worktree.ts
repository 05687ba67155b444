/**
 * An earlier commit of this repository, checked out beside it.
 *
 * @module
 */

import { outputOf } from "./program.ts";

const repository = new URL("../../", import.meta.url).pathname;

/** A checkout that disappears when disposed. */
export class Worktree implements AsyncDisposable {
  /** Where it is. */
  readonly folder: string;
  /** Which commit it is, and what its message begins with. */
  readonly title: string;

  private constructor(folder: string, title: string) {
    this.folder = folder;
    this.title = title;
  }

  /**
   * Checks a commit out.
   *
   * @param parent The folder to do it in.
   * @param commit Its name; by default the last one that differs from the
   * working tree: HEAD, or if nothing has changed since, the one before.
   * @throws {Error} With git's words.
   */
  static async checkOut(parent: string, commit?: string): Promise<Worktree> {
    // Those whose folders are gone: somebody has interrupted a run.
    await git("worktree", "prune");
    const name = commit ?? (await hasChanges() ? "HEAD" : "HEAD~1");
    const title = await git("log", "-1", "--format=%h %s", name);
    const folder = `${parent}/then`;
    await git("worktree", "add", "--quiet", "--detach", folder, name);
    return new Worktree(folder, title.trim());
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await git("worktree", "remove", "--force", this.folder);
  }
}

async function hasChanges(): Promise<boolean> {
  return await git("status", "--porcelain") !== "";
}

function git(...args: readonly string[]): Promise<string> {
  return outputOf("git", ["-C", repository, ...args]);
}
