/**
 * A WebSocket client of raw bytes, for what real clients do not do.
 *
 * @module
 */

import { Connection } from "../conformance/client.ts";
import {
  readFrame,
  type ReceivedFrame,
} from "../conformance/received_frame.ts";
import { handshake } from "../conformance/web_socket.ts";

/** A connection that has shaken hands. */
export class RawClient implements Disposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Connects to a port of this machine. */
  static async connect(port: number, path = "/"): Promise<RawClient> {
    const connection = await Connection.open(port);
    await connection.send(handshake({}, `GET ${path}`));
    const { status } = await connection.response();
    if (status !== 101) throw new Error(`Expected status 101, got ${status}`);
    return new RawClient(connection);
  }

  /** Sends bytes. */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#connection.send(bytes);
  }

  /** The next frame. */
  async frame(): Promise<ReceivedFrame> {
    return await readFrame(this.#connection);
  }

  /** Waits until the server has hung up without sending more. */
  async closed(): Promise<void> {
    await this.#connection.closed();
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** The code of a close frame. */
export function codeOf({ opcode, payload }: ReceivedFrame): number {
  if (opcode !== "close") throw new Error(`Expected a close, got ${opcode}`);
  return payload.length < 2 ? 1005 : payload[0]! << 8 | payload[1]!;
}
