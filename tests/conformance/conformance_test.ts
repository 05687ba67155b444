import { conformance } from "./runner.ts";

conformance("deno");
