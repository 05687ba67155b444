/** Unix sockets. */
import type { CaseSocket, TcpCase } from "../case.ts";

function echo(name: string, path: (unixPath: string) => string): TcpCase {
  return {
    name,
    async run({ listen, connect, record, log, until, unixPath }) {
      const unix = path(unixPath);
      const server = listen({
        unix,
        socket: record("server", {
          open: (socket: CaseSocket) => log("server", addresses(socket)),
          data: (socket: CaseSocket, data: Uint8Array) => socket.write(data),
        }),
      });
      log(
        "server",
        `${server.unix === unix} ${server.port} ${server.hostname}`,
      );
      const client = await connect({ unix, socket: record("client") });
      log("client", addresses(client));
      client.write("hello");
      await until("client", "data hello");
      client.end();
      await until("server", "close");
      server.stop();
    },
    expect: {
      server: [
        "true undefined undefined",
        "open",
        "undefined undefined undefined undefined",
        "data hello",
        "end",
        "close",
      ],
      client: [
        "open",
        "undefined undefined undefined undefined",
        "data hello",
        "close",
      ],
    },
  };
}

function addresses(socket: CaseSocket): string {
  const { remoteAddress, remotePort, remoteFamily, localAddress } = socket;
  return `${remoteAddress} ${remotePort} ${remoteFamily} ${localAddress}`;
}

/** The cases of this file. */
export const unix: TcpCase[] = [
  echo("a Unix socket at a path", (path) => path),
  echo("an abstract Unix socket", (path) => `\0${path}`),
];
