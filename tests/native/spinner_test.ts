import { assertEquals } from "@std/assert";
import { Spinner } from "../../src/engine/native/spinner.ts";

/** A clock that goes on by itself, as looking takes time. */
class Clock {
  time = 1;

  now(): number {
    return this.time += 0.01;
  }
}

/** Work that comes after so many looks. */
function workAfter(looks: number) {
  let count = 0;
  return {
    hasMore: () => ++count > looks,
    get looks() {
      return count;
    },
  };
}

/** Has requests come one by one, each woken by the doorbell. */
function serial(spinner: Spinner, clock: Clock, count: number, gap = 0.05) {
  for (let index = 0; index < count; index++) {
    spinner.spin(workAfter(Infinity), true);
    clock.time += gap;
    spinner.woke();
  }
}

Deno.test("nothing is looked for before requests have come one by one", () => {
  const clock = new Clock();
  const spinner = new Spinner(2, clock);
  for (let index = 0; index < 16; index++) {
    const work = workAfter(0);
    assertEquals(spinner.spin(work, true), false);
    assertEquals(work.looks, 0);
    spinner.woke();
  }
  assertEquals(spinner.spin(workAfter(10), true), true);
  assertEquals(spinner.spin(workAfter(10), true), true);
});

Deno.test("looking ends when nothing comes, and is not repeated soon", () => {
  const clock = new Clock();
  const spinner = new Spinner(2, clock);
  serial(spinner, clock, 16);
  const start = clock.time;
  assertEquals(spinner.spin(workAfter(Infinity), true), false);
  assertEquals(clock.time - start < 0.1, true);
  // Twice as many must come before it is tried again.
  serial(spinner, clock, 31);
  assertEquals(spinner.spin(workAfter(0), true), false);
  spinner.woke();
  assertEquals(spinner.spin(workAfter(0), true), true);
});

Deno.test("requests that come late or in company end the row", () => {
  for (const isLate of [true, false]) {
    const clock = new Clock();
    const spinner = new Spinner(2, clock);
    serial(spinner, clock, 15);
    if (isLate) serial(spinner, clock, 1, 1);
    else assertEquals(spinner.spin(workAfter(0), false), false);
    spinner.woke();
    serial(spinner, clock, 15);
    const work = workAfter(0);
    assertEquals(spinner.spin(work, true), false);
    assertEquals(work.looks, 0);
  }
});

Deno.test("a single processor has something better to do", () => {
  const clock = new Clock();
  const spinner = new Spinner(1, clock);
  serial(spinner, clock, 100);
  const work = workAfter(0);
  assertEquals(spinner.spin(work, true), false);
  assertEquals(work.looks, 0);
});

Deno.test("a long success makes up for failures", () => {
  const clock = new Clock();
  const spinner = new Spinner(2, clock);
  serial(spinner, clock, 17);
  serial(spinner, clock, 32);
  for (let index = 0; index < 100; index++) {
    assertEquals(spinner.spin(workAfter(1), true), true);
  }
  assertEquals(spinner.spin(workAfter(Infinity), true), false);
  // From the shortest row again, doubled once.
  spinner.woke();
  serial(spinner, clock, 31);
  assertEquals(spinner.spin(workAfter(0), true), true);
});
