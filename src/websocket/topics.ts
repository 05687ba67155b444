/**
 * Who is subscribed to what.
 *
 * Both directions are kept, so that publishing costs one step per subscriber,
 * and leaving costs one step per own topic. An empty entry is removed at once:
 * topics come from clients, and must not outlive them.
 */
export class Topics<Member> {
  readonly #members: Map<string, Set<Member>> = new Map();
  readonly #topics: Map<Member, Set<string>> = new Map();

  /** Subscribes; does nothing if already subscribed. */
  subscribe(member: Member, topic: string): void {
    addTo(this.#members, topic, member);
    addTo(this.#topics, member, topic);
  }

  /** Ends a subscription; false if there was none. */
  unsubscribe(member: Member, topic: string): boolean {
    return removeFrom(this.#members, topic, member) &&
      removeFrom(this.#topics, member, topic);
  }

  /** Ends all subscriptions of a member. */
  leave(member: Member): void {
    const topics = this.#topics.get(member);
    if (topics === undefined) return;
    this.#topics.delete(member);
    for (const topic of topics) removeFrom(this.#members, topic, member);
  }

  /** Whether a member is subscribed to a topic. */
  has(member: Member, topic: string): boolean {
    return this.#topics.get(member)?.has(topic) ?? false;
  }

  /** The topics of a member, in order of subscription. */
  topicsOf(member: Member): string[] {
    return [...this.#topics.get(member) ?? []];
  }

  /**
   * The subscribers of a topic; undefined if there are none. They may
   * unsubscribe while the caller goes through them.
   */
  membersOf(topic: string): ReadonlySet<Member> | undefined {
    return this.#members.get(topic);
  }

  /** How many are subscribed to a topic. */
  count(topic: string): number {
    return this.#members.get(topic)?.size ?? 0;
  }

  /** How many topics have subscribers. */
  get size(): number {
    return this.#members.size;
  }
}

function addTo<Key, Value>(
  map: Map<Key, Set<Value>>,
  key: Key,
  value: Value,
): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<Key, Value>(
  map: Map<Key, Set<Value>>,
  key: Key,
  value: Value,
): boolean {
  const set = map.get(key);
  if (set === undefined || !set.delete(value)) return false;
  if (set.size === 0) map.delete(key);
  return true;
}
