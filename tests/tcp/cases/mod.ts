import type { TcpCase } from "../case.ts";
import { closing } from "./closing.ts";
import { errors } from "./errors.ts";
import { events } from "./events.ts";
import { tls } from "./tls.ts";
import { unix } from "./unix.ts";
import { writing } from "./writing.ts";

/** All cases, by area. */
export const areas: Readonly<Record<string, readonly TcpCase[]>> = {
  events,
  writing,
  closing,
  errors,
  unix,
  tls,
};
