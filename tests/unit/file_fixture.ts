import type { OpenFile } from "../../src/engine/engine.ts";
import { openFile } from "../../src/runtime/file_system.ts";

/** A directory that is removed at the end of the scope. */
export class TemporaryDirectory implements Disposable {
  readonly path: string = Deno.realPathSync(Deno.makeTempDirSync());

  /** The path of an entry. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file, creating its directories, and returns its path. */
  write(
    name: string,
    content: string | Uint8Array = "",
    modified?: Date,
  ): string {
    const path = this.at(name);
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    if (modified !== undefined) Deno.utimeSync(path, modified, modified);
    return path;
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.at(name));
  }

  /** Makes a named pipe, which only some systems have. */
  pipe(name: string): string {
    const path = this.at(name);
    const { success } = new Deno.Command("mkfifo", { args: [path] })
      .outputSync();
    if (!success) throw new Error(`Cannot make the pipe "${path}"`);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Opens files and knows which are still open. */
export class OpenFiles {
  count = 0;

  readonly open = (path: string): OpenFile => {
    const file = openFile(path);
    this.count++;
    let isOpen = true;
    return {
      info: file.info,
      read: (buffer, position) => file.read(buffer, position),
      readSync: (buffer, position) => file.readSync(buffer, position),
      hasChanged: () => file.hasChanged(),
      close: () => {
        if (isOpen) this.count--;
        isOpen = false;
        file.close();
      },
    };
  };
}

/** How many descriptors of this process lead to `path`; Linux only. */
export function descriptorsOf(path: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) count++;
    } catch {
      // The descriptor that lists the directory is closed by now.
    }
  }
  return count;
}
