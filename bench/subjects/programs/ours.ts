// Run by Deno. The module is imported by name, so that another version of it
// can be measured with the same program.
import type { Api } from "./bun_api/api.ts";
import { run } from "./bun_api/main.ts";
import type { ServerPlan } from "./server_plan.ts";

const plan: ServerPlan = JSON.parse(Deno.args[0]!);
const api: Api = await import(plan.module!);
await run(api, plan);
