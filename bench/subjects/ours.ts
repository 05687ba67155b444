import { file, serve } from "../../mod.ts";
import { bunOptions } from "./bun_options.ts";

const [workload = "", variant = "", path = ""] = Deno.args;
const server = serve(bunOptions({ file }, workload, variant, path));
console.log(server.port);
