/**
 * The texts that requests repeat: targets and hosts. Each is made once for all
 * requests that have it, together with what follows from it.
 *
 * @module
 */

import { isValidHost } from "../../runtime/request_target.ts";
import {
  NO_HOST,
  NO_SLOT,
  REQUEST_HOST_DEFINED,
  REQUEST_TARGET_DEFINED,
  REQUEST_WORDS,
  SLOTS,
} from "./abi.ts";
import type { EventBatch } from "./event_reader.ts";

/** The value of a `Host` field. */
export class RequestHost {
  /** As the client wrote it. */
  readonly text: string;
  /** Whether it is one that RFC 9110 allows. */
  readonly isValid: boolean;

  constructor(text: string) {
    this.text = text;
    this.isValid = isValidHost(text);
  }
}

/** A request target (RFC 9112, section 3.2). */
export class RequestTarget {
  /** As the client wrote it. */
  readonly text: string;
  /** The path without the query; undefined if it has none. */
  readonly path: string | undefined;
  #scheme = "";
  #authority = "";
  #url = "";

  constructor(text: string) {
    this.text = text;
    this.path = pathIn(text);
  }

  /**
   * The URL, not normalised.
   *
   * @param scheme Of targets that have none, and `authority` theirs.
   */
  url(scheme: "http" | "https", authority: string): string {
    if (
      this.#url === "" || this.#authority !== authority ||
      this.#scheme !== scheme
    ) {
      this.#scheme = scheme;
      this.#authority = authority;
      this.#url = this.#join(`${scheme}://${authority}`);
    }
    return this.#url;
  }

  #join(origin: string): string {
    const { text } = this;
    if (text.startsWith("/")) return origin + text;
    // `*` is about the server as a whole.
    return text === "*" ? origin : text;
  }
}

function pathIn(target: string): string | undefined {
  if (target.startsWith("/")) return withoutQuery(target);
  if (target === "*") return undefined;
  const authority = target.indexOf("//");
  if (authority === -1) return undefined;
  const length = target.slice(authority + 2).search(/[/?]/);
  if (length === -1) return "/";
  const path = withoutQuery(target.slice(authority + 2 + length));
  return path === "" ? "/" : path;
}

function withoutQuery(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

/** The targets and hosts that the I/O thread has given slots to. */
export class RequestTexts {
  /** The target of the request that `read` was last called with. */
  target: RequestTarget = new RequestTarget("/");
  /** Its host; null without. */
  host: RequestHost | null = null;
  readonly #targets: RequestTarget[] = new Array(SLOTS).fill(this.target);
  readonly #hosts: RequestHost[] = new Array(SLOTS).fill(new RequestHost(""));

  /**
   * Finds the texts of a request. To be called for every request, in order:
   * some define what later ones refer to.
   *
   * @param at Index of the record's first word.
   */
  read({ words, text }: EventBatch, at: number, flags: number): void {
    const target = words[at + 6]!;
    const host = words[at + 7]!;
    const slot = host & 0xffff;
    if ((flags & (REQUEST_TARGET_DEFINED | REQUEST_HOST_DEFINED)) === 0) {
      this.target = this.#targets[target & 0xffff]!;
      this.host = slot === NO_HOST ? null : this.#hosts[slot]!;
      return;
    }
    let start = ((at + REQUEST_WORDS + words[at + 8]!) << 2) + words[at + 9]!;
    if ((flags & REQUEST_TARGET_DEFINED) === 0) {
      this.target = this.#targets[target & 0xffff]!;
    } else {
      const end = start + (target >>> 16);
      this.target = new RequestTarget(text.toString("utf8", start, end));
      if ((target & 0xffff) !== NO_SLOT) {
        this.#targets[target & 0xffff] = this.target;
      }
      start = end;
    }
    if (slot === NO_HOST) {
      this.host = null;
    } else if ((flags & REQUEST_HOST_DEFINED) === 0) {
      this.host = this.#hosts[slot]!;
    } else {
      const end = start + (host >>> 16);
      this.host = new RequestHost(text.toString("latin1", start, end));
      if (slot !== NO_SLOT) this.#hosts[slot] = this.host;
    }
  }
}
