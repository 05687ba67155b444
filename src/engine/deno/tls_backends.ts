import type { NamedCertificate, TlsPlan } from "../engine.ts";
import { SniTable } from "../../options/sni_table.ts";
import type { TlsBackend } from "./tls_backend.ts";

/** Starts the backend for a certificate. */
export type StartBackend = (
  certificate: TlsPlan,
  onUnused: (backend: TlsBackend) => void,
) => TlsBackend;

/** One backend for each certificate, and which of them has which name. */
export class TlsBackends {
  readonly #start: StartBackend;
  /** By chain and key; these serve new connections. */
  #current: Map<string, TlsBackend> = new Map();
  #names: SniTable<TlsBackend>;
  /** Replaced, with connections that are still open. */
  readonly #retired: Set<TlsBackend> = new Set();

  constructor(certificates: readonly NamedCertificate[], start: StartBackend) {
    this.#start = start;
    this.#names = this.#replace(certificates);
  }

  /** The backend for a client that asks for `serverName`, or for "". */
  select(serverName: string): TlsBackend {
    return this.#names.select(serverName);
  }

  /**
   * Uses other certificates from now on.
   *
   * @throws {Error} If one cannot be used; nothing changes then.
   */
  replace(certificates: readonly NamedCertificate[]): void {
    this.#names = this.#replace(certificates);
  }

  /** All that are running. */
  *[Symbol.iterator](): Iterator<TlsBackend> {
    yield* this.#current.values();
    yield* this.#retired;
  }

  #replace(certificates: readonly NamedCertificate[]): SniTable<TlsBackend> {
    const previous = this.#current;
    const next = new Map<string, TlsBackend>();
    try {
      const names = new SniTable(certificates.map((certificate) => {
        const pair = `${certificate.cert}${certificate.key}`;
        const backend = next.get(pair) ?? previous.get(pair) ??
          this.#start(certificate, this.#onUnused);
        next.set(pair, backend);
        return [certificate.serverName, backend] as const;
      }));
      this.#current = next;
      this.#retire(previous, next);
      return names;
    } catch (error) {
      this.#retire(next, previous);
      throw error;
    }
  }

  /** Gives no more connections to the backends that are only in `from`. */
  #retire(
    from: ReadonlyMap<string, TlsBackend>,
    kept: ReadonlyMap<string, TlsBackend>,
  ): void {
    for (const [pair, backend] of from) {
      if (kept.has(pair)) continue;
      this.#retired.add(backend);
      if (backend.isUnused) this.#onUnused(backend);
    }
  }

  readonly #onUnused = (backend: TlsBackend): void => {
    if (!this.#retired.has(backend)) return;
    backend.cut();
    backend.stop().catch(console.error)
      .finally(() => this.#retired.delete(backend));
  };
}
