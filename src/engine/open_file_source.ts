import type { ByteSource, OpenFile } from "./engine.ts";

/** How much of a file is in memory at once for each response that sends it. */
const CHUNK = 256 * 1024;

/** Reads a range of an open file; closes the file whatever happens. */
export class OpenFileSource implements ByteSource {
  readonly #file: OpenFile;
  readonly #end: number;
  #position: number;

  constructor(file: OpenFile, start: number, end: number) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const wanted = Math.min(CHUNK, this.#end - this.#position);
    if (wanted === 0) {
      this.#file.close();
      return undefined;
    }
    try {
      const buffer = new Uint8Array(wanted);
      const count = await this.#file.read(buffer, this.#position);
      // The head promised the file as it was when it was opened.
      if (count === 0 || this.#file.hasChanged()) throw fileChanged();
      this.#position += count;
      return count === wanted ? buffer : buffer.subarray(0, count);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  cancel(): void {
    this.#file.close();
  }
}

/** The error of a file that is no longer the one that the head describes. */
export function fileChanged(): Error {
  return new Error("Cannot send the file: it changed while it was being sent");
}
