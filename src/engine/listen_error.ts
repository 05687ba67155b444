import type { TcpAddressPlan, UnixAddressPlan } from "./engine.ts";

/** Makes the platform's error one that Node and Bun programs expect. */
export function listenError(
  error: unknown,
  plan: TcpAddressPlan | UnixAddressPlan,
): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? error.code : undefined;
  const where = plan.transport === "unix"
    ? { address: plan.path }
    : { address: plan.hostname, port: plan.port };
  const name = plan.transport === "unix"
    ? JSON.stringify(plan.path)
    : `port ${plan.port} of ${plan.hostname}`;
  const wrapped = new Error(`Cannot listen on ${name}: ${error.message}`, {
    cause: error,
  });
  return Object.assign(wrapped, { code, syscall: "listen", ...where });
}
