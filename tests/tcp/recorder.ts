import { connect as connectRaw, type Socket as NodeSocket } from "node:net";
import { Buffer } from "node:buffer";
import type { CaseHandlers, CaseSocket, TcpApi, TcpCase } from "./case.ts";

/** Longer than anything here takes, shorter than anybody waits. */
const DEADLINE = 10_000;

const EVENTS = [
  "open",
  "data",
  "drain",
  "close",
  "end",
  "error",
  "timeout",
  "handshake",
  "connectError",
];

/** The parts of an implementation that cases use. */
export type Implementation = Pick<TcpApi, "listen" | "connect">;

/**
 * Runs a case.
 *
 * @returns The facts by actor.
 */
export async function runCase(
  testCase: TcpCase,
  implementation: Implementation,
  pem: TcpApi["pem"],
  unixPath: string,
): Promise<Record<string, string[]>> {
  const facts: Record<string, string[]> = {};
  const waiting = new Set<() => void>();

  function log(actor: string, fact: string): void {
    const list = facts[actor] ??= [];
    const last = list.length - 1;
    if (fact.startsWith("data ") && list[last]?.startsWith("data ")) {
      list[last] += fact.slice("data ".length);
    } else {
      list.push(fact);
    }
    for (const check of waiting) check();
  }

  function until(actor: string, fact: string, times: number = 1) {
    const count = () =>
      (facts[actor] ?? []).filter((element) => element === fact).length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (count() >= times) resolve();
    };
    const timer = setTimeout(() => {
      reject(
        new Error(
          `No "${fact}" of ${actor}, only ${JSON.stringify(facts)}`,
        ),
      );
    }, DEADLINE);
    waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(check);
    });
  }

  function record(actor: string, handlers: CaseHandlers = {}): CaseHandlers {
    const recording: CaseHandlers = { ...handlers };
    // A handshake handler changes when sockets open, and Bun drains also when
    // nothing has waited: those are only there if the case has them.
    const events = EVENTS.filter((event) =>
      event !== "handshake" && event !== "drain" || event in handlers
    );
    for (const event of events) {
      recording[event] = function (socket: CaseSocket, ...rest: unknown[]) {
        log(actor, factOf(event, rest));
        return handlers[event]?.call(this, socket, ...rest);
      };
    }
    return recording;
  }

  async function rawClient(actor: string, port: number): Promise<NodeSocket> {
    const socket = connectRaw({ port, host: "127.0.0.1", allowHalfOpen: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.on("data", (bytes) => log(actor, `data ${bytes}`));
    socket.on("end", () => log(actor, "end"));
    socket.on("error", (error: Error & { code?: string }) => {
      log(actor, `error ${error.code}`);
    });
    socket.on("close", () => log(actor, "close"));
    return socket;
  }

  const api = { ...implementation, log, until, record, rawClient };
  await testCase.run({ ...api, pem, unixPath });
  return facts;
}

function factOf(event: string, rest: unknown[]): string {
  const [first, second] = rest;
  switch (event) {
    case "data":
      return `data ${textOf(first)}`;
    case "handshake":
      return `handshake ${first} ${nameOf(second)}`;
    case "close":
    case "error":
    case "connectError":
      return first === undefined ? event : `${event} ${nameOf(first)}`;
    default:
      return event;
  }
}

function textOf(bytes: unknown): string {
  return typeof bytes === "string"
    ? bytes
    : Buffer.from(bytes as Uint8Array).toString();
}

function nameOf(error: unknown): string {
  if (error === null || error === undefined) return "null";
  const { code, message } = error as Error & { code?: string };
  return code ?? message;
}
