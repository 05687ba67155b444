/**
 * Processes that must not outlive this one.
 *
 * @module
 */

const running = new Set<Deno.ChildProcess>();

/** Starts a process that ends when the user interrupts. */
export function spawnChild(
  program: string,
  options: Deno.CommandOptions,
): Deno.ChildProcess {
  const child = new Deno.Command(program, options).spawn();
  running.add(child);
  child.status.finally(() => running.delete(child));
  return child;
}

/** Ends all of them at once. */
export function killChildren(): void {
  for (const child of running) {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
