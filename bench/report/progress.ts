/**
 * Says how far a run is, on one line of the terminal.
 *
 * @module
 */

const WIDTH = 24;
const encoder = new TextEncoder();

/** A bar that is drawn over and over; invisible unless errors go to a terminal. */
export class Progress {
  readonly #total: number;
  readonly #start = performance.now();
  readonly #isShown = Deno.stderr.isTerminal();
  #done = 0;

  /** Counts to a number of steps. */
  constructor(total: number) {
    this.#total = total;
  }

  /** Begins a step. */
  begin(name: string): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#draw(progressLine(this.#done, this.#total, seconds, name));
  }

  /** Ends a step. */
  end(): void {
    this.#done++;
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    this.#draw("");
  }

  #draw(text: string): void {
    if (!this.#isShown) return;
    Deno.stderr.writeSync(encoder.encode(`\r\x1b[2K${text}`));
  }
}

/**
 * The bar and what is known of the time.
 *
 * @param seconds Since the first step began.
 */
export function progressLine(
  done: number,
  total: number,
  seconds: number,
  name: string,
): string {
  const filled = total === 0 ? WIDTH : Math.round(WIDTH * done / total);
  const bar = "█".repeat(filled) + "░".repeat(WIDTH - filled);
  const left = done === 0 ? "" : `, ${
    durationText(
      seconds / done * (total - done),
    )
  } left`;
  return `${bar} ${done}/${total}${left}: ${name}`;
}

function durationText(seconds: number): string {
  return seconds < 90
    ? `${Math.ceil(seconds)} s`
    : `${Math.ceil(seconds / 60)} min`;
}
