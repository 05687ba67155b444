/**
 * How messages are published: buses, and policies for slow receivers.
 *
 * @module
 */

import type { PublishPolicy } from "../engine/engine.ts";
import { describe, invalidOption, wrongType } from "./option_error.ts";
import { booleanOption, stringOption } from "./simple_options.ts";

const POLICIES: readonly unknown[] = [
  "drop-newest",
  "drop-oldest",
  "latest",
  "disconnect",
];

/** The third argument of `publish`, if it is an object. */
export interface PublishPlan {
  /** Compress for clients that can. */
  readonly compress: boolean;
  /** undefined is what the topic has. */
  readonly policy: PublishPolicy | undefined;
}

/**
 * Resolves `bus`; null is absent.
 *
 * @throws {TypeError} If it is not a string, or empty.
 */
export function busOption(value: unknown): string | undefined {
  const name = stringOption("bus", value);
  if (name === "") {
    throw invalidOption(
      `Cannot use bus ${describe(name)}: expected a string that is not empty`,
    );
  }
  return name;
}

/**
 * Resolves `websocket.topics`; null is absent.
 *
 * @returns Policies by topic, without those that are the default.
 * @throws {TypeError} If something has the wrong type, or there is no such
 * policy.
 */
export function topicsOption(
  value: unknown,
): ReadonlyMap<string, PublishPolicy> {
  const policies = new Map<string, PublishPolicy>();
  if (value === undefined || value === null) return policies;
  if (typeof value !== "object") {
    throw wrongType("websocket.topics", value, "an object");
  }
  for (const [topic, options] of Object.entries(value)) {
    const name = `websocket.topics[${describe(topic)}]`;
    if (options === undefined || options === null) continue;
    if (typeof options !== "object") {
      throw wrongType(name, options, "an object");
    }
    const policy = policyOption(`${name}.policy`, options.policy);
    if (policy !== undefined && policy !== "drop-newest") {
      policies.set(topic, policy);
    }
  }
  return policies;
}

/**
 * Resolves the third argument of `publish`.
 *
 * @param compress What holds if it does not say.
 * @throws {TypeError} If something has the wrong type, or there is no such
 * policy.
 */
export function publishOptions(value: object, compress: boolean): PublishPlan {
  const options = value as Readonly<Record<string, unknown>>;
  return {
    compress: booleanOption(
      "compress",
      options.compress ?? undefined,
      compress,
    ),
    policy: policyOption("policy", options.policy),
  };
}

function policyOption(name: string, value: unknown): PublishPolicy | undefined {
  if (value === undefined || value === null) return undefined;
  if (POLICIES.includes(value)) return value as PublishPolicy;
  throw invalidOption(
    `Cannot use ${name} ${describe(value)}: expected one of ${
      POLICIES.map(describe).join(", ")
    }`,
  );
}
