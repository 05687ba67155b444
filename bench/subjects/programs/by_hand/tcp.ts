/**
 * TCP with `Deno.listen`.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";

/** Serves TCP echo. */
export async function serveTcp(plan: ServerPlan): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: plan.port });
  console.log(JSON.stringify({ port: listener.addr.port }));
  for await (const connection of listener) echo(connection);
}

async function echo(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (true) {
      const count = await connection.read(buffer);
      if (count === null) break;
      let sent = 0;
      while (sent < count) {
        sent += await connection.write(buffer.subarray(sent, count));
      }
    }
  } catch {
    // The client has left.
  } finally {
    connection.close();
  }
}
