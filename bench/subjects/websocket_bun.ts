// Run by Bun.
import { webSocketOptions } from "./websocket_options.ts";

declare const Bun: {
  argv: string[];
  serve(options: unknown): { port: number };
};

const [workload = ""] = Bun.argv.slice(2);
console.log(Bun.serve(webSocketOptions(workload)).port);
