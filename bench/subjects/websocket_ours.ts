import { serve } from "../../mod.ts";
import { webSocketOptions } from "./websocket_options.ts";

const [workload = ""] = Deno.args;
console.log(serve(webSocketOptions(workload)).port);
