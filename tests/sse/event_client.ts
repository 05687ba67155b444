/**
 * A client of event streams over raw TCP, which shows what is on the wire.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { withDeadline } from "../conformance/client.ts";

/** How to ask. */
export interface Question {
  /** Default: `GET`. */
  readonly method?: string;
  /** Default: `1.1`. */
  readonly version?: "1.0" | "1.1";
  /** Value of `Last-Event-ID`; undefined for none. */
  readonly lastId?: string | undefined;
}

/** An event as a client understands it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** One connection, which asks for one stream. */
export class EventClient implements Disposable {
  readonly #tcp: Deno.TcpConn;
  #head = "";
  #content = "";
  #end: "open" | "whole" | "cut" = "open";
  #wake = Promise.withResolvers<void>();

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  /** Connects and asks; does not read yet. */
  static async ask(
    port: number,
    path: string,
    { method = "GET", version = "1.1", lastId }: Question = {},
  ): Promise<EventClient> {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    const id = lastId === undefined ? "" : `Last-Event-ID: ${lastId}\r\n`;
    const request =
      `${method} ${path} HTTP/${version}\r\nHost: localhost\r\n${id}\r\n`;
    await tcp.write(new TextEncoder().encode(request));
    return new EventClient(tcp);
  }

  /** Connects, asks, and reads until the first lines are there. */
  static async open(
    port: number,
    path: string,
    question?: Question,
  ): Promise<EventClient> {
    const client = await EventClient.ask(port, path, question);
    client.listen();
    await client.until((content) => content.includes("\n\n"));
    return client;
  }

  /** The head of the response. */
  get head(): string {
    return this.#head;
  }

  /** The content, without framing. */
  get content(): string {
    return this.#content;
  }

  /** How the response ended, if it did. */
  get end(): "open" | "whole" | "cut" {
    return this.#end;
  }

  /** The events that arrived. */
  get events(): ReceivedEvent[] {
    return eventsIn(this.#content);
  }

  /** Begins to read. */
  listen(): void {
    this.#read().catch(() => this.#end = "cut").then(() => this.#told());
  }

  /** Waits until the content, or the end, is as it should be. */
  async until(isSo: (content: string) => boolean): Promise<void> {
    const waiting = async () => {
      while (!isSo(this.#content)) await this.#wake.promise;
    };
    await withDeadline(
      waiting(),
      `${isSo} of ${JSON.stringify(this.#content.slice(-500))}`,
    );
  }

  /** Waits for so many events. */
  async received(count: number): Promise<ReceivedEvent[]> {
    await this.until(() => this.events.length >= count);
    return this.events;
  }

  /** Waits for the end. */
  async ended(): Promise<"whole" | "cut"> {
    await this.until(() => this.#end !== "open");
    return this.#end as "whole" | "cut";
  }

  /** Leaves. */
  close(): void {
    try {
      this.#tcp.close();
    } catch {
      // It has ended by itself.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #told(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #read(): Promise<void> {
    let unread = "";
    const next = async () => {
      const bytes = new Uint8Array(64 * 1024);
      const count = await this.#tcp.read(bytes);
      if (count === null) return false;
      unread += Buffer.from(bytes.subarray(0, count)).toString("latin1");
      return true;
    };
    const line = async () => {
      while (!unread.includes("\r\n")) {
        if (!await next()) throw new Error("The connection is cut");
      }
      const end = unread.indexOf("\r\n");
      const text = unread.slice(0, end);
      unread = unread.slice(end + 2);
      return text;
    };
    while (true) {
      const text = await line();
      if (text === "") break;
      this.#head += `${text}\n`;
    }
    if (!/^transfer-encoding: chunked$/im.test(this.#head)) {
      do {
        this.#content += utf8(unread);
        unread = "";
        this.#told();
      } while (await next());
      this.#end = "whole";
      return;
    }
    let bytes = "";
    while (true) {
      const size = parseInt(await line(), 16);
      while (unread.length < size + 2) {
        if (!await next()) throw new Error("The connection is cut");
      }
      bytes += unread.slice(0, size);
      unread = unread.slice(size + 2);
      if (size === 0) {
        this.#end = "whole";
        return;
      }
      // A chunk may end inside of a letter.
      const end = bytes.lastIndexOf("\n") + 1;
      this.#content += utf8(bytes.slice(0, end));
      bytes = bytes.slice(end);
      this.#told();
    }
  }
}

/** Bytes that are kept as the letters of Latin-1, as text. */
function utf8(bytes: string): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(Buffer.from(bytes, "latin1"));
}

/** Reads content as HTML says (section 9.2.6). */
export function eventsIn(content: string): ReceivedEvent[] {
  const events: ReceivedEvent[] = [];
  let lastId = "";
  let type = "";
  let data: string[] = [];
  const lines = content.split(/\r\n|\r|\n/);
  // What has no end yet.
  lines.pop();
  for (const line of lines) {
    if (line === "") {
      if (data.length > 0) {
        events.push({
          id: lastId,
          type: type || "message",
          data: data.join("\n"),
        });
      }
      type = "";
      data = [];
      continue;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (name === "data") data.push(value!);
    if (name === "event") type = value!;
    if (name === "id" && !value!.includes("\0")) lastId = value!;
  }
  return events;
}
