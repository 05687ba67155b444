/**
 * A file as a `Blob`.
 *
 * @module
 */

import type { Stats } from "node:fs";
import { stat, unlink } from "node:fs/promises";
import { readFile, statFile } from "../runtime/file_system.ts";
import { type FileSource, streamFile } from "./file_stream.ts";
import { FileSink, type FileSinkOptions } from "./file_writer.ts";
import {
  type FileContent,
  type FileWriteOptions,
  writeFile,
} from "./write_file.ts";

/**
 * A file on disk, or a part of one, as a `Blob`; made by
 * {@linkcode file | file()}.
 *
 * It is lazy: making it, or a slice of it, or a stream of it touches no disk.
 * Only regular files can be read; a pipe or a device is refused with `EINVAL`.
 */
export class JSTimeFile extends Blob {
  readonly #source: FileSource;

  /** Use {@linkcode file | file()}. */
  constructor(source: FileSource) {
    super();
    this.#source = source;
  }

  /** Which bytes of which file this stands for. */
  get source(): FileSource {
    return this.#source;
  }

  /** The path as it was given; for a `file:` URL, its path. */
  get name(): string {
    return this.#source.path;
  }

  /** The media type: as given, else by the extension of the name. */
  override get type(): string {
    return this.#source.type;
  }

  /**
   * Length in bytes, looked up each time; 0 if there is no such file.
   *
   * @throws {Deno.errors.NotCapable} without permission to read the path.
   */
  override get size(): number {
    const { start, end } = this.#bounds();
    return end - start;
  }

  /**
   * When the file was last modified, in milliseconds since the epoch, looked
   * up each time; 0 if there is no such file.
   *
   * @throws {Deno.errors.NotCapable} without permission to read the path.
   */
  get lastModified(): number {
    return Math.trunc(statFile(this.#source.path)?.modified ?? 0);
  }

  /** Whether there is a regular file at the path. */
  // deno-lint-ignore require-await
  async exists(): Promise<boolean> {
    return statFile(this.#source.path)?.isFile ?? false;
  }

  /**
   * Everything the system knows about the path.
   *
   * @throws {Error} with `code`, for example `ENOENT`.
   */
  stat(): Promise<Stats> {
    return stat(this.#source.path);
  }

  /**
   * The content as text: UTF-8, where invalid bytes become U+FFFD.
   *
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /**
   * The content parsed as JSON.
   *
   * @throws {SyntaxError} if it is not JSON.
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  // deno-lint-ignore no-explicit-any
  async json(): Promise<any> {
    return JSON.parse(await this.text());
  }

  /**
   * The content as bytes.
   *
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return readFile(this.#source.path, this.#source.start, this.#source.end);
  }

  /**
   * The content as an `ArrayBuffer`.
   *
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  /**
   * The content as a form, according to `type`: `multipart/form-data` with a
   * boundary, or `application/x-www-form-urlencoded`.
   *
   * @throws {TypeError} if it is not such a form.
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  async formData(): Promise<FormData> {
    const headers = { "content-type": this.#source.type };
    return await new Response(await this.bytes(), { headers }).formData();
  }

  /**
   * The content as a stream. The file is opened by the first read and closed
   * after the last one; reading fails if the file becomes shorter meanwhile.
   */
  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return streamFile(this.#source);
  }

  /** The content as a stream of text. */
  override textStream(): ReadableStream<string> {
    return this.stream().pipeThrough(new TextDecoderStream());
  }

  /**
   * A part of the file. Indices are relative to this part, and negative ones
   * count from its end: they need the length of the file, which is looked up
   * at once.
   *
   * @param begin First byte. Default: 0.
   * @param end One past the last byte. Default: the end.
   * @param contentType Media type of the part. Default: the type of this file.
   */
  override slice(
    begin?: number,
    end?: number,
    contentType?: string,
  ): JSTimeFile;
  /** The part from `begin` to the end, with another type. */
  override slice(begin?: number, contentType?: string): JSTimeFile;
  /** All of it, with another type. */
  override slice(contentType?: string): JSTimeFile;
  override slice(
    begin?: number | string,
    end?: number | string,
    contentType?: string,
  ): JSTimeFile {
    const type = [begin, end, contentType].find((value) =>
      typeof value === "string"
    );
    const range = this.#part(
      toIndex(typeof begin === "string" ? undefined : begin) ?? 0,
      toIndex(typeof end === "string" ? undefined : end),
    );
    const { path } = this.#source;
    return new JSTimeFile({
      path,
      ...range,
      isSlice: true,
      type: normalizeType(type) || this.#source.type,
    });
  }

  /**
   * Replaces the content of the file; creates it, and its directories, if they
   * are missing. This is not atomic: readers may see a part.
   *
   * @returns the number of bytes written.
   * @throws {TypeError} for a part of a file, and for content of another kind.
   * @throws {Error} with `code`, for example `EACCES` or `EISDIR`.
   */
  async write(
    content: FileContent,
    options?: FileWriteOptions,
  ): Promise<number> {
    this.#requireWhole("write to");
    return await writeFile(this.#source.path, content, options);
  }

  /**
   * Empties the file, or creates it, and returns an object that writes to it
   * piece by piece.
   *
   * @throws {TypeError} for a part of a file.
   * @throws {Error} with `code`, for example `ENOENT` or `EISDIR`.
   */
  writer(options?: FileSinkOptions): FileSink {
    this.#requireWhole("write to");
    return new FileSink(this.#source.path, options);
  }

  /**
   * Deletes the file.
   *
   * @throws {TypeError} for a part of a file.
   * @throws {Error} with `code`, for example `ENOENT`.
   */
  async unlink(): Promise<void> {
    this.#requireWhole("delete");
    await unlink(this.#source.path);
  }

  /** The same as `unlink()`. */
  async delete(): Promise<void> {
    await this.unlink();
  }

  #requireWhole(action: string): void {
    if (!this.#source.isSlice) return;
    throw new TypeError(
      `Cannot ${action} a slice of "${this.#source.path}": expected the whole file`,
    );
  }

  /** The part with the present length of the file applied. */
  #bounds(): { start: number; end: number } {
    const facts = statFile(this.#source.path);
    const size = facts?.isFile ? facts.size : 0;
    const start = Math.min(this.#source.start, size);
    const end = Math.min(this.#source.end ?? size, size);
    return { start, end: Math.max(start, end) };
  }

  #part(
    begin: number,
    end: number | undefined,
  ): Pick<FileSource, "start" | "end"> {
    const outer = this.#source;
    const needsLength = begin < 0 || (end !== undefined && end < 0);
    const length = needsLength ? this.size : 0;
    const from = begin < 0 ? Math.max(0, length + begin) : begin;
    const to = end !== undefined && end < 0 ? Math.max(0, length + end) : end;
    const outerEnd = outer.end ?? Infinity;
    const start = Math.min(outer.start + from, outerEnd);
    const stop = to === undefined
      ? outerEnd
      : Math.min(Math.max(outer.start + to, start), outerEnd);
    return { start, end: stop === Infinity ? undefined : stop };
  }
}

// Published frameworks decide by `constructor.name === "Blob"` how to send it.
Object.defineProperty(JSTimeFile.prototype, "constructor", {
  value: Blob,
  writable: true,
  enumerable: false,
  configurable: true,
});

function toIndex(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.trunc(Number(value)) || 0;
}

/**
 * A media type as `Blob` keeps it: in lower case, and empty if it contains
 * anything but printable ASCII.
 */
export function normalizeType(type: unknown): string {
  if (typeof type !== "string") return "";
  for (let index = 0; index < type.length; index++) {
    const unit = type.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e) return "";
  }
  return type.toLowerCase();
}
