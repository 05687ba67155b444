// Run by Bun.
import type { Serve } from "../../mod.ts";
import { type BunApi, bunOptions } from "./bun_options.ts";

declare const Bun: BunApi & {
  argv: string[];
  serve(options: Serve.Options): { port: number };
};

const [workload = "", variant = "", path = ""] = Bun.argv.slice(2);
const server = Bun.serve(bunOptions(Bun, workload, variant, path));
console.log(server.port);
