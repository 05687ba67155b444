/**
 * Drives pages in headless Chromium over its DevTools protocol, for tests in
 * which several pages talk to each other.
 *
 * @module
 */

import { QUIET_FLAGS } from "./chromium.ts";

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A browser that ends when disposed. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;

  private constructor(
    process: Deno.ChildProcess,
    profile: string,
    socket: WebSocket,
  ) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const answer: Answer = JSON.parse(data);
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    };
  }

  /** Starts a browser without pages. */
  static async start(chromium: string): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "chromium-" });
    const process = new Deno.Command(chromium, {
      args: [
        ...QUIET_FLAGS,
        `--user-data-dir=${profile}`,
        "--remote-debugging-port=0",
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const socket = new WebSocket(await devToolsUrl(profile));
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error("Chromium does not listen"));
    });
    return new Browser(process, profile, socket);
  }

  /** Opens a page. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url });
    const { sessionId } = await this.send("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    return new Page(this, targetId as string, sessionId as string);
  }

  /** Has the browser do something. */
  async send(
    method: string,
    params: Record<string, unknown> = {},
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { error, result } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.close();
    await closed;
    this.#process.kill("SIGKILL");
    await this.#process.status;
    // Its helpers may still write there for a moment.
    for (let tries = 0; tries < 20; tries++) {
      try {
        return await Deno.remove(this.#profile, { recursive: true });
      } catch {
        await delay(100);
      }
    }
  }
}

/** A page in a browser. */
export class Page {
  readonly #browser: Browser;
  readonly #targetId: string;
  readonly #sessionId: string;

  constructor(browser: Browser, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
  }

  /**
   * The value of an expression in the page.
   *
   * @throws {Error} If the expression throws.
   */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#browser.send(
      "Runtime.evaluate",
      { expression, returnByValue: true },
      this.#sessionId,
    );
    if (exceptionDetails !== undefined) {
      throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    }
    return (result as { value?: unknown }).value;
  }

  /**
   * Waits until an expression is true.
   *
   * @throws {Error} If it is not in time.
   */
  async until(expression: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if (await this.evaluate(expression) === true) return;
      await delay(50);
    }
    const text = await this.evaluate("document.body.innerText");
    throw new Error(`Gave up waiting for ${expression}, having:\n${text}`);
  }

  /** Closes the page, as a user closes a tab. */
  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", {
      targetId: this.#targetId,
    });
  }

  /** A picture of what the page shows, as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#browser.send(
      "Page.captureScreenshot",
      {},
      this.#sessionId,
    );
    return Uint8Array.fromBase64(data as string);
  }
}

/** Chromium writes into its profile where it listens. */
async function devToolsUrl(profile: string): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`)
      .catch(() => "");
    const [port, path] = text.split("\n");
    if (port && path) return `ws://127.0.0.1:${port}${path}`;
    await delay(50);
  }
  throw new Error("Chromium did not start");
}

async function delay(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
