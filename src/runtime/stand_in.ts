/**
 * Objects that stand in for one of the platform's, which is made, or looked at,
 * only when somebody asks for what the stand-in does not know.
 *
 * Deno keeps the internal slots of its objects on symbol properties. Whoever
 * inherits from the platform's prototype, and reads these through to a real
 * object, *is* such an object to the platform.
 *
 * @module
 */

/** A class of the platform, with an object of it. */
export interface PlatformClass {
  /** The class. */
  readonly constructor: { readonly prototype: object };
  /** The symbols of its slots; none where the platform hides them. */
  readonly slots: readonly symbol[];
}

/** What there is to know of the class of an object of the platform. */
export function platformClassOf(
  sample: Request | Headers,
): PlatformClass {
  return {
    constructor: sample.constructor,
    slots: Object.getOwnPropertySymbols(sample),
  };
}

/**
 * Makes objects with a prototype stand-ins for those of a platform's class.
 *
 * @param realOf The platform's object behind a stand-in.
 */
export function makeStandIn<StandIn extends object>(
  prototype: StandIn,
  { constructor, slots }: PlatformClass,
  realOf: (standIn: StandIn) => object,
): void {
  const slotsOf = realOf as (standIn: StandIn) => Record<symbol, unknown>;
  for (const slot of slots) {
    Object.defineProperty(prototype, slot, {
      get(this: StandIn): unknown {
        return slotsOf(this)[slot];
      },
      set(this: StandIn, value: unknown): void {
        slotsOf(this)[slot] = value;
      },
    });
  }
  Object.setPrototypeOf(prototype, constructor.prototype);
  showAs(prototype, constructor);
}

/** Gives a prototype the `constructor` that its objects show. */
export function showAs(prototype: object, constructor: object): void {
  Object.defineProperty(prototype, "constructor", {
    value: constructor,
    writable: true,
    configurable: true,
  });
}
