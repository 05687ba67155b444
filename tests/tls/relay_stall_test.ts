import { assert, assertEquals } from "@std/assert";
import { IdleSweep } from "../../src/engine/deno/idle_sweep.ts";
import type { TlsBackend } from "../../src/engine/deno/tls_backend.ts";
import { TlsRelay } from "../../src/engine/deno/tls_relay.ts";
import { hello } from "./client_hello.ts";

const LIMITS = { firstRequest: 60_000, stalledWrite: 1_000, linger: 1_000 };

/** Two ends of a TCP connection. */
async function connected(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  return await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
}

async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A relay whose client takes nothing, and what stalls it. */
async function stalled(
  run: (relay: TlsRelay) => void,
  before: (relay: TlsRelay) => void = () => {},
): Promise<void> {
  const [client, outer] = await connected();
  const [inner, server] = await connected();
  const sweep = new IdleSweep();
  const relay = new TlsRelay(outer, sweep, LIMITS, () => {});
  const backend = {
    use: (_: TlsRelay, relay: (server: Deno.TcpConn) => Promise<void>) =>
      relay(inner),
  };
  const relaying = relay.run(() => backend as TlsBackend);
  relay.requestArrived();
  before(relay);
  const start = hello("a.test");
  await client.write(start);
  let isFull = false;
  const sending = (async () => {
    const bytes = new Uint8Array(1024 * 1024);
    try {
      for (;;) {
        const timer = setTimeout(() => isFull = true, 100);
        try {
          await server.write(bytes);
        } finally {
          clearTimeout(timer);
        }
      }
    } catch {
      // It was cut.
    }
  })();
  try {
    await settled(() => isFull && relay.deadline < Infinity);
    run(relay);
  } finally {
    relay.cut();
    await relaying;
    server.close();
    client.close();
    await sending;
    sweep.stop();
  }
}

Deno.test("a client that takes nothing has a deadline", async () => {
  await stalled((relay) => {
    assert(relay.deadline < performance.now() + LIMITS.stalledWrite + 1);
  });
});

Deno.test("a client may be allowed to take nothing for longer", async () => {
  await stalled((relay) => {
    relay.allowStall(600);
    assert(relay.deadline > performance.now() + 500_000);
    const { deadline } = relay;
    // It is never less than before.
    relay.allowStall(0.001);
    assert(relay.deadline >= deadline);
  });
});

Deno.test("a client may be allowed to take nothing for ever", async () => {
  await stalled((relay) => {
    relay.allowStall(0);
    assertEquals(relay.deadline, Infinity);
    relay.allowStall(10);
    assertEquals(relay.deadline, Infinity);
  });
});

Deno.test("what is allowed before the stall counts, too", async () => {
  await stalled((relay) => {
    assert(relay.deadline > performance.now() + 500_000);
  }, (relay) => relay.allowStall(600));
});
