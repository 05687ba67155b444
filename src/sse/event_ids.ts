/** An id as clients send it back. */
const ID = /^([0-9a-z]{1,20})-([0-9]{1,15})$/;

/**
 * The ids of a server's events. They increase over all topics, and begin with
 * something that no other server has, nor this one in another life.
 */
export class EventIds {
  readonly #epoch: string = newEpoch();
  #last = 0;

  /** The number of another event. */
  next(): number {
    return ++this.#last;
  }

  /** The id of an event with a number. */
  idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  /**
   * The number behind which a client has seen nothing, by the last id that it
   * has seen. What another server, or another life, has sent comes before
   * everything here. Infinity if there is no such id: then there is nothing to
   * replay.
   */
  lastSeen(id: string | null): number {
    const [, epoch, number] = ID.exec(id ?? "") ?? [];
    if (epoch === undefined) return Infinity;
    return epoch === this.#epoch ? Number(number) : 0;
  }
}

/** The time, and chance for those who begin at the same. */
function newEpoch(): string {
  const [chance] = crypto.getRandomValues(new Uint32Array(1));
  return Date.now().toString(36) + chance!.toString(36).padStart(7, "0");
}
