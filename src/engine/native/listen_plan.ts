import type { HttpListenPlan } from "../engine.ts";
import {
  LISTEN_HTTP2,
  LISTEN_IPV6_ONLY,
  LISTEN_REUSE_PORT,
  LISTEN_TLS,
  PLAN_FLAGS,
  PLAN_HEAD_BYTES,
  PLAN_HEAD_TIMEOUT,
  PLAN_HEADER_COUNT,
  PLAN_HEALTH_LENGTH,
  PLAN_HEALTH_STALL,
  PLAN_HOST_LENGTH,
  PLAN_IDLE_TIMEOUT,
  PLAN_MAX_CONNECTIONS,
  PLAN_MAX_CONTENT_HIGH,
  PLAN_MAX_CONTENT_LOW,
  PLAN_MAX_PENDING,
  PLAN_METRICS_LENGTH,
  PLAN_MIN_CONTENT_RATE,
  PLAN_PORT,
  PLAN_TARGET_BYTES,
  PLAN_TRANSPORT,
  PLAN_WORDS,
} from "./abi.ts";

const TCP = 1;
const UNIX = 2;
const LARGEST_WORD = 0xffff_ffff;
const TWO_POWER_32 = 2 ** 32;

/** A plan as `jstime_listen` takes it. */
export function encodeListenPlan(
  plan: HttpListenPlan,
  isTls: boolean = plan.tls !== undefined,
): Uint8Array<ArrayBuffer> {
  const { address, limits, health, metricsRoute } = plan;
  const encoder = new TextEncoder();
  const isTcp = address.transport === "tcp";
  const host = encoder.encode(isTcp ? address.hostname : address.path);
  const healthPath = encoder.encode(health?.path ?? "");
  const metricsPath = encoder.encode(metricsRoute ?? "");
  const size = PLAN_WORDS * 4 + host.length + healthPath.length +
    metricsPath.length;
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, PLAN_WORDS);
  words[PLAN_TRANSPORT] = isTcp ? TCP : UNIX;
  words[PLAN_FLAGS] = (isTls ? LISTEN_TLS : 0) |
    (plan.http2 ? LISTEN_HTTP2 : 0);
  if (isTcp) {
    words[PLAN_PORT] = address.port;
    words[PLAN_FLAGS]! |= (address.reusePort ? LISTEN_REUSE_PORT : 0) |
      (address.ipv6Only ? LISTEN_IPV6_ONLY : 0);
  }
  words[PLAN_HOST_LENGTH] = host.length;
  const most = Math.min(plan.maxRequestBodySize, Number.MAX_SAFE_INTEGER);
  words[PLAN_MAX_CONTENT_LOW] = most % TWO_POWER_32;
  words[PLAN_MAX_CONTENT_HIGH] = Math.floor(most / TWO_POWER_32);
  words[PLAN_IDLE_TIMEOUT] = toMilliseconds(plan.idleTimeout);
  words[PLAN_HEAD_TIMEOUT] = toMilliseconds(limits.headTimeout);
  words[PLAN_MAX_CONNECTIONS] = toWord(limits.connections);
  words[PLAN_MAX_PENDING] = toWord(plan.maxPendingRequests);
  words[PLAN_HEAD_BYTES] = toWord(limits.headBytes);
  words[PLAN_HEADER_COUNT] = toWord(limits.headerCount);
  words[PLAN_TARGET_BYTES] = toWord(limits.targetBytes);
  words[PLAN_HEALTH_STALL] = toMilliseconds(health?.stall ?? 0);
  words[PLAN_HEALTH_LENGTH] = healthPath.length;
  words[PLAN_METRICS_LENGTH] = metricsPath.length;
  words[PLAN_MIN_CONTENT_RATE] = toWord(limits.contentRate);
  bytes.set(host, PLAN_WORDS * 4);
  bytes.set(healthPath, PLAN_WORDS * 4 + host.length);
  bytes.set(metricsPath, size - metricsPath.length);
  return bytes;
}

/** Seconds as milliseconds: 0 stays 0, and nothing else becomes 0. */
function toMilliseconds(seconds: number): number {
  return toWord(Math.ceil(seconds * 1_000));
}

/** A number of up to 32 bits; larger ones, infinity too, are the largest. */
function toWord(value: number): number {
  return Math.min(value, LARGEST_WORD);
}
