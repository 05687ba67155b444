import type { EngineBus, EngineWebSocket, PublishPolicy } from "../engine.ts";
import type { SharedLibrary } from "./library.ts";
import type { Helper } from "./symbols.ts";
import { describeErrno } from "./system_error.ts";
import { topicKey } from "./topic_key.ts";
import {
  type NativeWebSocket,
  policyFlag,
  sendFlags,
  toBytes,
} from "./web_socket.ts";

const encoder = new TextEncoder();

/**
 * Connects the servers of different isolates: the helper, which all of them
 * share, hands messages from the JavaScript of one to the I/O threads of the
 * others.
 */
export class NativeBus implements EngineBus {
  readonly #library: SharedLibrary;
  readonly #helper: Helper;
  readonly #membership: number;
  /** The topic that was used last. */
  #topic = "";
  #topicBytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #hasLeft = false;

  /**
   * @param handle Of threads that run.
   * @throws {Error} If the helper cannot; `code` says why.
   */
  constructor(library: SharedLibrary, handle: number, name: string) {
    this.#library = library;
    const helper = this.#helper = library.acquire();
    const bytes = encoder.encode(topicKey(name));
    const result = helper.jstime_bus_join(handle, bytes, bytes.length);
    if (result <= 0) {
      library.release();
      const { code, description } = describeErrno(-result);
      const error = new Error(`Cannot join a bus: ${description}`);
      throw Object.assign(error, { code });
    }
    this.#membership = result;
  }

  subscribe(socket: EngineWebSocket, topic: string): void {
    (socket as NativeWebSocket).subscribe(this.#membership, topicKey(topic));
  }

  unsubscribe(socket: EngineWebSocket, topic: string): void {
    (socket as NativeWebSocket).unsubscribe(this.#membership, topicKey(topic));
  }

  publish(
    topic: string,
    data: string | Uint8Array<ArrayBuffer>,
    compress: boolean,
    policy: PublishPolicy,
  ): number {
    if (this.#hasLeft) return 0;
    const name = this.#bytesOf(topic);
    const bytes = toBytes(data);
    const count = this.#helper.jstime_bus_publish(
      this.#membership,
      name,
      name.length,
      bytes,
      bytes.length,
      sendFlags(data, compress) | policyFlag(policy),
    );
    return Math.max(count, -1);
  }

  subscriberCount(topic: string): number {
    if (this.#hasLeft) return 0;
    const name = this.#bytesOf(topic);
    const { jstime_bus_count } = this.#helper;
    return Math.max(0, jstime_bus_count(this.#membership, name, name.length));
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#helper.jstime_bus_leave(this.#membership);
    this.#library.release();
  }

  #bytesOf(topic: string): Uint8Array<ArrayBuffer> {
    if (topic !== this.#topic) {
      this.#topic = topic;
      this.#topicBytes = encoder.encode(topicKey(topic));
    }
    return this.#topicBytes;
  }
}
