import { assert, assertEquals, assertThrows } from "@std/assert";
import { stepsFor } from "../../bench/method/rounds.ts";
import { readSettings } from "../../bench/settings.ts";
import { denoSubject, ourSubject } from "../../bench/subjects/deno_subjects.ts";
import { subjectIds } from "../../bench/subjects/subject.ts";
import { workloads } from "../../bench/workloads/all.ts";

Deno.test("settings: everything, five rounds, by default", () => {
  const { cases, subjects, rounds } = readSettings([]);
  assertEquals(
    new Set(cases.map(({ workload }) => workload)),
    new Set(workloads),
  );
  assertEquals(subjects, subjectIds);
  assertEquals(rounds, 5);
});

Deno.test("settings: names, numbers, and = or a space before values", () => {
  const { cases, subjects, rounds, durations } = readSettings([
    ...["--only", "ws-echo,publish-500", "--subjects=bun,native"],
    ...["--connections", "8,16", "--rounds", "2", "--seconds=0.5"],
  ]);
  assertEquals(
    cases.map(({ workload, connections }) => [workload.name, connections]),
    // Publishing to 500 is that with 500 alone.
    [["ws-echo", 8], ["ws-echo", 16], ["publish-500", 500]],
  );
  assertEquals(subjects, ["native", "bun"]);
  assertEquals([rounds, durations.load], [2, 0.5]);
});

Deno.test("settings: quick means one number of connections and less of all", () => {
  const { cases, subjects } = readSettings(["--quick"]);
  assertEquals(
    cases.find(({ workload }) => workload.name === "hello")?.connections,
    64,
  );
  const names = cases.map(({ workload }) => workload.name);
  assertEquals(names.length, new Set(names).size);
  assert(!subjects.includes("floor"));
});

Deno.test("settings: what cannot be understood is named", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--fast"], `Cannot understand "--fast"`],
    [["hello"], `Cannot understand "hello"`],
    [["--only"], "Cannot use --only: expected a value"],
    [["--only", "hallo"], `Cannot find workload "hallo"`],
    [["--subjects", "deno,nginx"], `Cannot find subject "nginx"`],
    [["--rounds", "0"], "Cannot use --rounds 0"],
    [["--seconds", "soon"], "Cannot use --seconds soon"],
    [["--connections", "1.5"], "Cannot use --connections 1.5"],
    [["--load", "ab"], `Cannot find load generator "ab"`],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => readSettings(args), Error, message);
  }
});

Deno.test("workloads: names are unique", () => {
  const names = workloads.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("rounds: each begins with another subject", () => {
  const [first] = readSettings(["--only", "tcp-echo-64k"]).cases;
  const subjects = [
    ourSubject("deno"),
    denoSubject(),
    { ...denoSubject(), applies: () => false },
  ];
  const order = stepsFor(first!, subjects, 3)
    .map(({ subject, round }) => `${round} ${subject.id}`);
  assertEquals(order, [
    ...["0 deno-engine", "0 deno", "1 deno", "1 deno-engine"],
    ...["2 deno-engine", "2 deno"],
  ]);
});
