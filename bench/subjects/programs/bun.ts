// Run by Bun.
import type { Api } from "./bun_api/api.ts";
import { run } from "./bun_api/main.ts";

declare const Bun: Api & { readonly argv: readonly string[] };

await run(Bun, JSON.parse(Bun.argv[2]!));
