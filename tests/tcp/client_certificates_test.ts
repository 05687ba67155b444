/** Certificates of clients, as TCP servers see them. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Buffer } from "node:buffer";
import { connect as connectTls } from "node:tls";
import type { TLSOptions } from "../../src/options/tls_options.ts";
import type { SocketHandler } from "../../src/tcp/socket_types.ts";
import { entry } from "../tls/certificates.ts";
import {
  type ClientName,
  clientPair,
  clientPem,
} from "../tls/client_certificates.ts";
import { subjects, type TcpSubject } from "./engines.ts";

const loopback = { hostname: "127.0.0.1", port: 0 } as const;
const authority = clientPem("authority");
const strict = { requestCert: true, ca: authority };
const lenient = { ...strict, rejectUnauthorized: false };

/** What a server saw of a client, and what the client got. */
interface Seen {
  success: boolean;
  authorized: boolean;
  name: unknown;
  error: string | undefined;
  received: string;
  got: string;
}

/** Connects once; the client sends "ping", and the server "pong" if it may. */
async function meet(
  listen: TcpSubject["listen"],
  tls: TLSOptions | TLSOptions[],
  as: ClientName | undefined,
  servername = "first.test",
): Promise<Seen> {
  const seen: Partial<Seen> = { received: "", got: "" };
  const closed = Promise.withResolvers<void>();
  const socket: SocketHandler = {
    handshake(socket, success, error) {
      const certificate = socket.getPeerCertificate();
      assertEquals(
        certificate?.authorizationError?.code,
        certificate && (error as Error & { code?: string } | null)?.code,
      );
      assertEquals(success ? socket.getAuthorizationError() : error, error);
      seen.success = success;
      seen.authorized = socket.authorized;
      seen.name = certificate?.subject.CN;
      seen.error = (error as Error & { code?: string } | null)?.code;
      socket.write("pong");
    },
    data(socket, bytes) {
      seen.received += bytes.toString();
      socket.end();
    },
    close: () => closed.resolve(),
    error() {},
  };
  using server = listen<unknown>({ ...loopback, tls, socket });
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = connectTls({
    host: "127.0.0.1",
    port: server.port,
    servername,
    rejectUnauthorized: false,
    ...as && clientPair(as),
  }, () => void client.write("ping"));
  client.on("data", (bytes) => seen.got += bytes.toString());
  client.on("error", () => {});
  client.on("close", () => resolve());
  await promise;
  await closed.promise;
  return seen as Seen;
}

for (const { name: engine, listen, connect, test } of subjects) {
  test("requestCert of listen lets those in whom ca vouches for", async () => {
    const tls = { ...entry("first"), ...strict };
    for (const as of ["client", "chained"] as const) {
      assertEquals(await meet(listen, tls, as), {
        success: true,
        authorized: true,
        name: as,
        error: undefined,
        received: "ping",
        got: "pong",
      });
    }
    for (
      const as of [
        undefined,
        "expired",
        "foreign",
        "self_signed",
        "server_only",
      ] as const
    ) {
      const { success, authorized, received, got, error } = await meet(
        listen,
        tls,
        as,
      );
      assertEquals([success, authorized, received, got], [
        false,
        false,
        "",
        "",
      ]);
      assert(error !== undefined, as);
    }
  });

  test("with rejectUnauthorized false listen takes everybody, and tells the truth", async () => {
    const tls = { ...entry("first"), ...lenient };
    for (
      const [as, name, authorized] of [
        [undefined, undefined, false],
        ["client", "client", true],
        ["expired", "expired", false],
        ["foreign", "foreign", false],
        ["self_signed", "self signed", false],
        ["server_only", "server only", false],
      ] as const
    ) {
      const seen = await meet(listen, tls, as);
      assertEquals(
        [seen.success, seen.authorized, seen.name, seen.received, seen.got],
        [true, authorized, name, "ping", "pong"],
      );
      assertEquals(seen.error === undefined, authorized, as);
    }
    const { ca: _, ...trustsNobody } = tls;
    const seen = await meet(listen, trustsNobody, "client");
    assertEquals([seen.success, seen.authorized], [true, false]);
    assertEquals(seen.error, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
  });

  test("each server name of listen has its own rules", async () => {
    const tls = [
      entry("first", "first.test"),
      { ...entry("second", "second.test"), ...strict },
      {
        ...entry("wildcard", "*.wild.test"),
        ...lenient,
        ca: clientPem("other_authority"),
      },
    ];
    for (
      const [name, as, success, authorized, shown] of [
        ["first.test", undefined, true, false, undefined],
        // What is not asked for is not looked at.
        ["first.test", "client", true, false, undefined],
        ["unknown.test", "foreign", true, false, undefined],
        ["second.test", "client", true, true, "client"],
        ["SECOND.test", undefined, false, false, undefined],
        ["second.test", "foreign", false, false, undefined],
        ["a.wild.test", undefined, true, false, undefined],
        ["a.wild.test", "client", true, false, "client"],
        ["a.wild.test", "foreign", true, true, "foreign"],
      ] as const
    ) {
      const seen = await meet(listen, tls, as, name);
      assertEquals(
        [seen.success, seen.authorized, seen.name],
        [success, authorized, shown],
        `${name} ${as}`,
      );
      assertEquals(seen.got, success ? "pong" : "");
    }
  });

  test("clients do not come in again with a session", async () => {
    const results: boolean[] = [];
    const both = Promise.withResolvers<void>();
    using server = listen<unknown>({
      ...loopback,
      tls: [
        entry("first", "first.test"),
        { ...entry("second", "second.test"), ...strict },
      ],
      socket: {
        handshake(socket, success) {
          if (results.push(success) === 2) both.resolve();
          socket.end("hello");
        },
        data() {},
        error() {},
      },
    });
    const sessions: Buffer[] = [];
    const come = (servername: string, session?: Buffer) => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const client = connectTls({
        host: "127.0.0.1",
        port: server.port,
        servername,
        rejectUnauthorized: false,
        ...session && { session },
      });
      let isResumed = false;
      client.on("secureConnect", () => isResumed = client.isSessionReused());
      client.on("session", (session) => sessions.push(session));
      client.on("data", () => client.end());
      client.on("error", () => {});
      client.on("close", () => resolve(isResumed));
      return promise;
    };
    await come("first.test");
    const again = await come("second.test", sessions.at(-1));
    await both.promise;
    assertEquals([again, results], [false, [true, false]]);
  });

  test("a list of one certificate knows names and has socket options", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown[]>();
    using server = listen<unknown>({
      ...loopback,
      tls: [entry("first")],
      socket: {
        handshake(socket) {
          resolve([
            socket.getServername(),
            socket.setNoDelay(false),
            socket.setKeepAlive(true),
            socket.getPeerCertificate(),
            socket.getAuthorizationError(),
            socket.authorized,
          ]);
          socket.end();
        },
        data() {},
      },
    });
    const client = connectTls({
      host: "127.0.0.1",
      port: server.port,
      servername: "a.test",
      rejectUnauthorized: false,
    });
    const closed = new Promise((resolve) => client.on("close", resolve));
    client.resume();
    assertEquals(await promise, [
      "a.test",
      true,
      true,
      undefined,
      null,
      false,
    ]);
    await closed;
  });

  test("connect can be asked for the certificate of the server", async () => {
    using server = listen<unknown>({
      ...loopback,
      tls: { ...entry("first"), ...strict },
      socket: {
        handshake: (socket) =>
          void socket.end(String(socket.getPeerCertificate()?.subject.CN)),
        data() {},
      },
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    await connect({
      ...loopback,
      port: server.port,
      tls: { ...clientPair("client"), ca: entry("first").cert },
      socket: {
        handshake(socket, success, error) {
          assertEquals([success, error, socket.authorized], [true, null, true]);
          const certificate = socket.getPeerCertificate();
          assertEquals(certificate?.subject.CN, "first");
          assertEquals(certificate?.authorized, true);
        },
        data: (_socket, bytes) => resolve(bytes.toString()),
        error: (_socket, error) => reject(error),
      },
    });
    assertEquals(await promise, "client");
  });

  test("revocation lists and authorities are looked at first", () => {
    assertThrows(
      () =>
        listen<unknown>({
          ...loopback,
          tls: { ...entry("first"), requestCert: true },
          socket: { data() {} },
        }),
      TypeError,
      "tls.requestCert without tls.ca",
    );
    assertThrows(
      () =>
        listen<unknown>({
          ...loopback,
          tls: { ...entry("first"), ...strict, crl: "no list" },
          socket: { data() {} },
        }),
      TypeError,
      "tls.crl",
    );
  });

  if (engine === "native") {
    test("revoked certificates are refused, or not authorized", async () => {
      for (const requirement of [strict, lenient]) {
        const tls = {
          ...entry("first"),
          ...requirement,
          crl: clientPem("revocations"),
        };
        const good = await meet(listen, tls, "client");
        assertEquals(
          [good.success, good.authorized, good.error, good.got],
          [true, true, undefined, "pong"],
        );
        const revoked = await meet(listen, tls, "revoked");
        const isLet = requirement === lenient;
        assertEquals(
          [revoked.success, revoked.authorized, revoked.error, revoked.got],
          [isLet, false, "CERT_REVOKED", isLet ? "pong" : ""],
        );
      }
      // Nobody knows who was revoked since then.
      const stale = {
        ...entry("first"),
        ...strict,
        crl: clientPem("stale_revocations"),
      };
      const seen = await meet(listen, stale, "client");
      assertEquals([seen.success, seen.error], [false, "CRL_HAS_EXPIRED"]);
    });
  } else {
    test("revocation lists are refused where nobody would look at them", () => {
      const tls = {
        ...entry("first"),
        ...strict,
        crl: clientPem("revocations"),
      };
      const error = assertThrows(
        () => listen<unknown>({ ...loopback, tls, socket: { data() {} } }),
        Error,
        "tls.crl",
      );
      assertEquals(
        (error as Error & { code?: string }).code,
        "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
      );
    });
  }
}
