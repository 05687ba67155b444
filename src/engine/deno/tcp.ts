/**
 * TCP on `Deno.listen` and `Deno.connect`.
 *
 * @module
 */

import type {
  TcpConnection,
  TcpConnectPlan,
  TcpEngine,
  TcpListener,
  TcpListenPlan,
} from "../engine.ts";
import { DenoConnection } from "./tcp_connection.ts";
import { connectError } from "./tcp_error.ts";
import { DenoTcpListener } from "./tcp_listener.ts";

/** The TCP engine that runs wherever Deno runs. */
export const denoTcp: TcpEngine = {
  name: "deno",
  tcpFeatures: {
    reset: false,
    keepAliveDelay: false,
    clientCertificates: true,
    revocationLists: false,
    requestedServerName: false,
    tlsSocketOptions: false,
  },
  listenTcp(
    plan: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
  ): TcpListener {
    return new DenoTcpListener(plan, accept);
  },
  async connectTcp({ address, tls }: TcpConnectPlan): Promise<TcpConnection> {
    const connection = new DenoConnection(await open(address));
    return tls === undefined ? connection : connection.startTls(tls);
  },
};

async function open(address: TcpConnectPlan["address"]): Promise<Deno.Conn> {
  try {
    if (address.transport === "unix") {
      return await Deno.connect({ transport: "unix", path: address.path });
    }
    const { hostname, port } = address;
    return await Deno.connect({ hostname, port });
  } catch (error) {
    throw connectError(error, address);
  }
}
