/**
 * All conformance cases by area.
 *
 * @module
 */
import type { ConformanceCase } from "../case.ts";
import { cases as conditionals } from "./conditionals.ts";
import { cases as cookies } from "./cookies.ts";
import { cases as development } from "./development.ts";
import { cases as directory } from "./directory.ts";
import { cases as errors } from "./errors.ts";
import { cases as files } from "./files.ts";
import { cases as framing } from "./framing.ts";
import { cases as hostile } from "./hostile.ts";
import { cases as limits } from "./limits.ts";
import { cases as methods } from "./methods.ts";
import { cases as operations } from "./operations.ts";
import { cases as params } from "./params.ts";
import { cases as ranges } from "./ranges.ts";
import { cases as requestBodies } from "./request_bodies.ts";
import { cases as requests } from "./requests.ts";
import { cases as responses } from "./responses.ts";
import { cases as routing } from "./routing.ts";
import { cases as serverObject } from "./server_object.ts";
import { cases as staticResponses } from "./static_responses.ts";
import { cases as streams } from "./streams.ts";
import { cases as webSocketClosing } from "./websocket_closing.ts";
import { cases as webSocketHandlers } from "./websocket_handlers.ts";
import { cases as webSocketHandshake } from "./websocket_handshake.ts";
import { cases as webSocketLimits } from "./websocket_limits.ts";
import { cases as webSocketMessages } from "./websocket_messages.ts";
import { cases as webSocketProtocol } from "./websocket_protocol.ts";
import { cases as webSocketTopics } from "./websocket_topics.ts";

/** The cases of each area. */
export const areas: Record<string, ConformanceCase[]> = {
  routing,
  params,
  methods,
  "static responses": staticResponses,
  files,
  ranges,
  conditionals,
  directory,
  requests,
  "request bodies": requestBodies,
  limits,
  responses,
  streams,
  errors,
  development,
  cookies,
  framing,
  hostile,
  "server object": serverObject,
  operations,
  "websocket handshake": webSocketHandshake,
  "websocket messages": webSocketMessages,
  "websocket protocol": webSocketProtocol,
  "websocket closing": webSocketClosing,
  "websocket topics": webSocketTopics,
  "websocket handlers": webSocketHandlers,
  "websocket limits": webSocketLimits,
};

/** The case called `area/name`. */
export function findCase(name: string): ConformanceCase {
  for (const [area, cases] of Object.entries(areas)) {
    const found = cases.find((each) => `${area}/${each.name}` === name);
    if (found !== undefined) return found;
  }
  throw new Error(`Cannot find the case ${name}`);
}
