/** The options of an event stream, settled and validated. */
export interface EventStreamSettings {
  /** The topic whose messages are sent. */
  readonly topic: string;
  /** The type of the events; undefined for the default. */
  readonly event: string | undefined;
  /** Milliseconds until clients come again; undefined if they decide. */
  readonly retry: number | undefined;
  /** Seconds of silence until a comment is sent; 0 is never. */
  readonly heartbeat: number;
  /** How many messages are kept. */
  readonly history: number;
  /** Bytes that may wait for a client. */
  readonly backpressureLimit: number;
  /** Headers of the response. */
  readonly headers: Headers;
}

/** The settings of an event stream. */
export let settingsOf: (stream: EventStream) => EventStreamSettings;

/**
 * What `sse()` returns: a route, or what a handler answers. It may be used for
 * any number of routes and requests.
 */
export class EventStream {
  /** The topic whose messages are sent. */
  readonly topic: string;
  readonly #settings: EventStreamSettings;

  /** @ignore */
  constructor(settings: EventStreamSettings) {
    this.topic = settings.topic;
    this.#settings = settings;
  }

  static {
    settingsOf = (stream) => stream.#settings;
  }
}

/** The event streams among routes, in method tables too. */
export function eventStreamsIn(
  routes: Readonly<Record<string, unknown>> | undefined,
): EventStream[] {
  return Object.values(routes ?? {}).flatMap((value) => {
    if (value instanceof EventStream) return [value];
    return isTable(value)
      ? Object.values(value).filter((entry) => entry instanceof EventStream)
      : [];
  });
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}
