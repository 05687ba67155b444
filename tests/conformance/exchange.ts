/**
 * Plays a case against a running server.
 *
 * @module
 */
import {
  type ConformanceCase,
  type EngineName,
  type Payload,
  type ReceivedResponse,
  type Step,
  stepsOf,
} from "./case.ts";
import { Connection, ExchangeError, quote, withDeadline } from "./client.ts";
import { checkResponse, logHolds } from "./expectation.ts";
import { checkFrame, readFrame } from "./received_frame.ts";

/** A case's server, in this process or in the oracle's. */
export interface RunningServer {
  readonly port: number;
  /** What the server has logged so far. */
  readonly log: readonly string[];
  /** Runs the `run` step at this position. */
  run(position: number): Promise<void>;
  /** Settles when everything logged before the call is in `log`. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a case's server. */
export interface Engine {
  readonly name: EngineName;
  start(testCase: ConformanceCase): Promise<RunningServer>;
}

/** How often to look whether the log holds what is awaited. Milliseconds. */
const LOG_INTERVAL = 5;

/** Runs a case from start to stop; throws where a fact does not hold. */
export async function runCase(
  engine: Engine,
  testCase: ConformanceCase,
): Promise<void> {
  const server = await engine.start(testCase);
  let runs = 0;
  try {
    for (const cut of cutsOf(testCase)) {
      await play(engine.name, server, testCase, cut).catch((error) => {
        if (cut !== whole) error.message += `\n(payload sent ${cut.label})`;
        throw error;
      });
      runs += 1;
      await checkLog(server, testCase, runs);
    }
  } finally {
    await withDeadline(server.stop(), "the server to stop");
  }
  await checkLog(server, testCase, runs);
}

/** How the first payload of an exchange is cut into writes. */
interface Cut {
  label: string;
  pieces(payload: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[];
}

const whole: Cut = { label: "whole", pieces: (payload) => [payload] };

const byteByByte: Cut = {
  label: "byte by byte",
  pieces: (payload) => Array.from(payload, (byte) => Uint8Array.of(byte)),
};

function splitAt(offset: number): Cut {
  return {
    label: `split at byte ${offset}`,
    pieces: (payload) => [payload.slice(0, offset), payload.slice(offset)],
  };
}

function cutsOf(testCase: ConformanceCase): Cut[] {
  if (!testCase.replay) return [whole];
  const first = stepsOf(testCase).find((step) => "send" in step);
  if (first === undefined || typeof first.send === "function") {
    throw new TypeError("A replayed case must start with a fixed payload");
  }
  const cuts = [whole, byteByByte];
  const length = toBytes(first.send).length;
  for (let offset = 1; offset < length; offset++) cuts.push(splitAt(offset));
  return cuts;
}

async function play(
  engine: EngineName,
  server: RunningServer,
  testCase: ConformanceCase,
  cut: Cut,
): Promise<void> {
  const connections = new Map<string, Connection>();
  const seen: ReceivedResponse[] = [];
  let sent = false;

  const connectionOf = async (step: Step) => {
    const name = step.connection ?? "first";
    const known = connections.get(name);
    if (known !== undefined) return known;
    const opened = await Connection.open(server.port);
    connections.set(name, opened);
    return opened;
  };

  const take = async (step: Step, position: number) => {
    if ("send" in step) {
      const payload = typeof step.send === "function"
        ? step.send(seen)
        : step.send;
      const connection = await connectionOf(step);
      await sendPieces(connection, payload, sent ? whole : cut);
      sent = true;
    } else if ("receive" in step) {
      const connection = await connectionOf(step);
      const response = await connection.response(step.receive.head);
      seen.push(response);
      checkResponse(response, step.receive, engine);
    } else if ("receiveFrame" in step) {
      const frame = await readFrame(await connectionOf(step));
      checkFrame(frame, step.receiveFrame);
    } else if ("closed" in step) {
      await (await connectionOf(step)).closed();
    } else if ("open" in step) {
      await connectionOf(step);
    } else if ("halfClose" in step) {
      await (await connectionOf(step)).halfClose();
    } else if ("close" in step) {
      (await connectionOf(step)).close();
    } else if ("logged" in step) {
      await waitFor(
        () => server.log.includes(step.logged),
        () => `${quote(step.logged)} in the log ${show(server.log)}`,
      );
    } else if ("pause" in step) {
      await sleep(step.pause);
    } else {
      await withDeadline(server.run(position), "a step to run in the server");
    }
  };

  try {
    for (const [position, step] of stepsOf(testCase).entries()) {
      if (step.skip?.[engine] !== undefined) continue;
      await take(step, position).catch((error) => {
        error.message = `Step ${position + 1}: ${error.message}`;
        throw error;
      });
    }
  } finally {
    for (const connection of connections.values()) connection.close();
  }
}

async function sendPieces(
  connection: Connection,
  payload: Payload,
  cut: Cut,
): Promise<void> {
  for (const [index, piece] of cut.pieces(toBytes(payload)).entries()) {
    // Without a turn of the event loop in between the kernel joins the pieces.
    if (index > 0) await sleep(0);
    await connection.send(piece);
  }
}

async function checkLog(
  server: RunningServer,
  testCase: ConformanceCase,
  runs: number,
): Promise<void> {
  if (testCase.log === undefined) return;
  const expected = Array.from({ length: runs }, () => testCase.log!).flat();
  await server.settle();
  await waitFor(
    () => logHolds(server.log, expected),
    () => `the log ${show(expected)}, having ${show(server.log)}`,
  );
}

async function waitFor(
  condition: () => boolean,
  describe: () => string,
): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new ExchangeError(`Gave up waiting for ${describe()}`);
    }
    await sleep(LOG_INTERVAL);
  }
}

function show(facts: readonly (string | RegExp)[]): string {
  return `[${facts.map((fact) => quote(String(fact))).join(", ")}]`;
}

function toBytes(payload: Payload): Uint8Array<ArrayBuffer> {
  return typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : payload;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
