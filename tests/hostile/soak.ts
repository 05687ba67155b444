/**
 * Long runs against a server that is a process of its own:
 *
 * ```sh
 * deno task soak [engine] [millions]           # requests; is memory flat?
 * deno task soak mixed [engine] [minutes]      # everything at once, flat?
 * deno task soak idle [engine|bun] [sockets]   # bytes per idle WebSocket
 * ```
 *
 * @module
 */
import { soakIdle } from "./soak/idle.ts";
import { soakMixed } from "./soak/mixed.ts";
import { soakRequests } from "./soak/requests.ts";
import type { EngineName } from "./program.ts";

const [mode, ...rest] = Deno.args;
let holds: boolean;
if (mode === "mixed") {
  const [engine = "native", minutes = "30"] = rest;
  holds = await soakMixed(engine as EngineName, Number(minutes) * 60);
} else if (mode === "idle") {
  const [engine = "native", sockets = "10000"] = rest;
  holds = await soakIdle(engine as EngineName | "bun", Number(sockets));
} else {
  const [engine = "native", millions = "1.2"] = Deno.args;
  holds = await soakRequests(engine as EngineName, Number(millions) * 1e6);
}
if (!holds) Deno.exit(1);
