import { makeStandIn, platformClassOf } from "../../runtime/stand_in.ts";
import type { EventBatch } from "./event_reader.ts";
import { headerIn, headersIn } from "./request_record.ts";

const platform = Headers.prototype;

/** Names that need no look at their letters any more. */
const plainNames: Set<string> = new Set([
  "accept",
  "authorization",
  "content-type",
  "cookie",
  "host",
]);

/** Beyond so many, what clients and programs ask for is not remembered. */
const MOST_PLAIN_NAMES = 256;

/** Whether a name is a token in lower case, as those in records are. */
function isPlain(name: unknown): name is string {
  if (plainNames.has(name as string)) return true;
  if (typeof name !== "string" || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
    return false;
  }
  if (plainNames.size < MOST_PLAIN_NAMES) plainNames.add(name);
  return true;
}

/** Where a request's record is, which may move. */
export interface RecordPlace {
  /** The memory that it is in. */
  readonly batch: EventBatch;
  /** Index of its first word. */
  readonly at: number;
}

/**
 * The headers of a request: a `Headers` object that is made when more than a
 * single value is asked for.
 *
 * Its prototype chain reaches `Headers.prototype`, and the platform's internal
 * slots, which Deno keeps on symbol properties, are read through to the object
 * behind. To the platform it *is* a `Headers` object.
 */
class LazyHeaders {
  readonly #place: RecordPlace;
  #real: Headers | undefined;

  constructor(place: RecordPlace) {
    this.#place = place;
  }

  get(name: string): string | null {
    return this.#real === undefined && isPlain(name)
      ? headerIn(this.#place.batch, this.#place.at, name)
      // How many arguments there are matters to it.
      : Reflect.apply(platform.get, this, arguments);
  }

  has(name: string): boolean {
    return this.#real === undefined && isPlain(name)
      ? headerIn(this.#place.batch, this.#place.at, name) !== null
      : Reflect.apply(platform.has, this, arguments);
  }

  /** The object behind. */
  static realOf(headers: LazyHeaders): Headers {
    return headers.#real ??= new Headers(
      headersIn(headers.#place.batch, headers.#place.at),
    );
  }

  /** Makes `real` the object behind. */
  static adopt(headers: LazyHeaders, real: Headers): void {
    headers.#real = real;
  }
}

const platformClass = platformClassOf(new Headers());
makeStandIn(LazyHeaders.prototype, platformClass, LazyHeaders.realOf);

/**
 * The headers of the request whose record is at `place`. Where `Headers`
 * objects have no symbol properties, an ordinary one.
 */
export function requestHeaders(place: RecordPlace): Headers {
  return platformClass.slots.length === 0
    ? new Headers(headersIn(place.batch, place.at))
    : new LazyHeaders(place) as unknown as Headers;
}

/**
 * Makes headers that were given out the same as those of a request that was
 * made with them: a change of one is then a change of the other.
 */
export function adoptHeaders(headers: Headers, real: Headers): void {
  if (headers instanceof LazyHeaders) LazyHeaders.adopt(headers, real);
}
