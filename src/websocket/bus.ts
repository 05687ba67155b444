import type { EngineBus, PublishPolicy } from "../engine/engine.ts";
import { BusChannel } from "./bus_channel.ts";
import { type WebSocketHub, worseOf } from "./hub.ts";
import { Outbox } from "./outbox.ts";
import { type Payload, PendingBytes, sizeOf } from "./payload.ts";
import type { ServerSocket } from "./server_web_socket.ts";

/** What is published on a bus. */
export interface BusMessage<Data = Payload> {
  /** To whose subscribers it goes. */
  readonly topic: string;
  /** The message. */
  readonly data: Data;
  /** Compress it for clients that can. */
  readonly compress: boolean;
  /** What to do for those who are too slow. */
  readonly policy: PublishPolicy;
}

/** A message that is in memory. */
type ReadyMessage = BusMessage<string | Uint8Array<ArrayBuffer>>;

/** Bytes that may wait for a Blob that is being read. */
const MOST_WAITING = 64 * 1024 * 1024;

/** The buses of this isolate by name. */
const buses: Map<string, Bus> = new Map();

/**
 * A bus as one isolate sees it: its own servers, to which it delivers by itself,
 * and two ways to those of other isolates. The link of an engine that has one
 * goes to servers of that engine, without their JavaScript. A channel goes to
 * all the others, and to event streams.
 */
export class Bus {
  readonly #name: string;
  readonly #hubs: Map<WebSocketHub, EngineBus | undefined> = new Map();
  readonly #channel: BusChannel;
  /** Keeps the order while a Blob is being read. */
  #outbox: Outbox | undefined;

  private constructor(name: string) {
    this.#name = name;
    this.#channel = new BusChannel(name, (message, isLinked) => {
      for (const [hub, link] of this.#hubs) {
        if (isLinked && link !== undefined) {
          // Its engine has it already, but for its event streams.
          hub.eventStreams.publish(message.topic, message.data);
        } else {
          deliver(hub, message);
        }
      }
    });
  }

  /**
   * A server becomes a member.
   *
   * @param link What its engine connects isolates by, if it does.
   */
  static join(
    name: string,
    hub: WebSocketHub,
    link: EngineBus | undefined,
  ): Bus {
    let bus = buses.get(name);
    if (bus === undefined) buses.set(name, bus = new Bus(name));
    bus.#hubs.set(hub, link);
    if (needsChannel(hub, link)) bus.listen();
    return bus;
  }

  /** A server is reached by the channel alone, or its event streams are. */
  listen(): void {
    this.#channel.listen();
  }

  /** How many isolates' buses there are; for tests. */
  static get count(): number {
    return buses.size;
  }

  /** A server is a member no longer. */
  leave(hub: WebSocketHub): void {
    const link = this.#hubs.get(hub);
    if (!this.#hubs.delete(hub)) return;
    link?.leave();
    if (this.#hubs.size === 0) {
      buses.delete(this.#name);
      this.#channel.close();
    } else if (
      ![...this.#hubs].some(([hub, link]) => needsChannel(hub, link))
    ) {
      this.#channel.stopListening();
    }
  }

  /** What the engine of a server connects isolates by. */
  linkOf(hub: WebSocketHub): EngineBus | undefined {
    return this.#hubs.get(hub);
  }

  /** How many are subscribed to a topic, as far as that is known here. */
  subscriberCount(topic: string): number {
    let count = this.#link?.subscriberCount(topic) ?? 0;
    for (const hub of this.#hubs.keys()) count += hub.ownSubscriberCount(topic);
    return count;
  }

  /**
   * Sends to all subscribers of a topic.
   *
   * @returns As {@linkcode ServerSocket.publish}.
   */
  publish(message: BusMessage, except?: ServerSocket): number {
    let status: number | undefined;
    for (const hub of this.#hubs.keys()) {
      status = worseOf(deliver(hub, message, except), status);
    }
    const others = this.#publishToOthers(message, status === undefined);
    if (others === 0) return status ?? 0;
    return worseOf(others < 0 ? 0 : sizeOf(message.data), status);
  }

  get #link(): EngineBus | undefined {
    return this.#hubs.values().find((link) => link !== undefined);
  }

  /**
   * Sends to other isolates.
   *
   * @param isAlone Nobody here is sent it.
   * @returns As {@linkcode EngineBus.publish}.
   */
  #publishToOthers(message: BusMessage, isAlone: boolean): number {
    const { data } = message;
    if (!(data instanceof PendingBytes) && this.#outbox === undefined) {
      return this.#send({ ...message, data });
    }
    const size = sizeOf(data);
    this.#outbox ??= new Outbox(() => this.#outbox = undefined);
    if (this.#outbox.bytes + size > MOST_WAITING) return -1;
    if (!(data instanceof PendingBytes)) {
      // The sender may reuse its buffer as soon as this returns.
      const kept = typeof data === "string" ? data : data.slice();
      this.#outbox.add(size, () => void this.#send({ ...message, data: kept }));
      return 0;
    }
    this.#outbox.add(size, () =>
      data.bytes.then(
        (bytes) => void this.#send({ ...message, data: bytes }),
        // Those who were to get it here report it, if there are any.
        (error) => {
          if (isAlone) reportError(error);
        },
      ));
    return 0;
  }

  #send(message: ReadyMessage): number {
    if (this.#hubs.size === 0) return 0;
    const link = this.#link;
    const { topic, data, compress, policy } = message;
    const others = link?.publish(topic, data, compress, policy) ?? 0;
    this.#channel.post(message, link !== undefined);
    return others;
  }
}

/** Whether something of a server is not reached by its engine. */
function needsChannel(hub: WebSocketHub, link: EngineBus | undefined): boolean {
  return link === undefined || hub.eventStreams.topicCount > 0;
}

function deliver(
  hub: WebSocketHub,
  { topic, data, compress, policy }: BusMessage,
  except?: ServerSocket,
): number | undefined {
  return hub.deliver(topic, data, compress, policy, except);
}
