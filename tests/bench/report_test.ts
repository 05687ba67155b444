import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { analyze } from "../../bench/report/analysis.ts";
import { headline } from "../../bench/report/markdown.ts";
import { notesFor } from "../../bench/report/notes.ts";
import { pairedRatio, pairsRow } from "../../bench/report/pairs.ts";
import { progressLine } from "../../bench/report/progress.ts";
import { repeatCommand } from "../../bench/report/repeat_command.ts";
import type { Results } from "../../bench/report/results.ts";
import { caseTable } from "../../bench/report/table.ts";
import { results, samples, workload } from "./fixture.ts";

/** The notes under a heading, or none. */
function notesAbout(title: string, of: Results): readonly string[] {
  const sections = notesFor(of, analyze(of));
  return sections.find((section) => section.title === title)?.notes ?? [];
}

Deno.test("caseTable: medians, then the ratios of ours", () => {
  const [first] = analyze(results());
  const lines = caseTable(first!).split("\n");
  assertEquals(lines.length, 5);
  assert(lines[0]!.startsWith("Title of hello @ 64 "));
  assertEquals(
    lines[1]!.trim().split(/ {2,}/).slice(0, 6),
    ["ours, native engine", "100,000", "0.500", "1.00", "2.00", "8.00"],
  );
  assert(lines[2]!.includes("0.833 Bun"), "per second");
  assert(lines[2]!.includes("0.800 Bun"), "CPU");
  assert(lines[2]!.includes("~1.00 Bun"), "latency, which is the same");
  // The floor has no JavaScript thread.
  assertEquals(lines[4]!.trim().split(/ {2,}/)[6], "-");
});

Deno.test("headline: 64 connections, with the command that repeats it", () => {
  const run = results();
  const text = headline(run, analyze(run));
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  assertEquals(rows[0]!.split("|").map((cell) => cell.trim()), [
    ...["", "", "ours, native engine", "Bun", "floor: epoll loop in C"],
    ...["ours, native engine / best peer", ""],
  ]);
  assertEquals(
    rows[2],
    "| Title of hello: CPU, µs per request | 8.00 (4.00) | 10.0 | 5.00 | 0.800 Bun (0.800 Bun) |",
  );
  assertEquals(rows.length, 4);
  assertStringIncludes(text, "3 rounds of 2 s");
  assertStringIncludes(text, "`deno task bench` measures it on your machine");
});

Deno.test("notes: a loss is named with its metric, factor and peer", () => {
  const notes = notesAbout("Where we lose", results());
  assertEquals(notes, [
    "Title of hello @ 64, ours, native engine: per second 0.833x of Bun",
  ]);
});

Deno.test("notes: less work is no loss when the load made less", () => {
  const run = results();
  const bound = run.samples.map((sample) => ({
    ...sample,
    metrics: { ...sample.metrics, busiestThread: 0.5 },
  }));
  const changed = results({ samples: bound });
  assertEquals(notesAbout("Where we lose", changed), []);
  const [note] = notesAbout("Where the server was not the limit", changed);
  assertStringIncludes(note!, "ours, native engine 50%");
  assertStringIncludes(note!, "the machine had no CPU left");
});

Deno.test("notes: rounds that differ, and too few rounds, are noise", () => {
  assertEquals(notesAbout("What is noise", results()), []);
  const noisy = results({
    rounds: 2,
    workloads: [workload("hello")],
    samples: samples("hello", "bun", 64, [{ cpu: 10 }, { cpu: 12 }]),
  });
  const [few, differ] = notesAbout("What is noise", noisy);
  assertStringIncludes(few!, "Two rounds show nothing");
  assertStringIncludes(differ!, "Bun 18%");
});

Deno.test("notes: a machine that was busy before is said to have been", () => {
  const environment = { ...results().environment, "load before": "3.50" };
  const [note] = notesAbout("What is noise", results({ environment }));
  assertStringIncludes(note!, "load 3.5");
});

Deno.test("notes: what could not be measured is said with its reason", () => {
  const run = results({
    skips: [
      { workload: "*", subject: "native", reason: "it is not built" },
      { workload: "hello", subject: "bun", reason: "wrong answer" },
    ],
  });
  assertEquals(notesAbout("What could not be measured", run), [
    "ours, native engine: it is not built",
    "hello, Bun: wrong answer",
  ]);
});

Deno.test("pairs: ratios are of the same round", () => {
  const pairs = [
    { now: { cpu: 20 }, then: { cpu: 10 } },
    { now: { cpu: 33 }, then: { cpu: 30 } },
    { now: { cpu: 6 }, then: { cpu: 5 } },
  ];
  const ratio = pairedRatio(pairs, "cpu")!;
  assertEquals([ratio.low, ratio.median, ratio.high], [1.1, 1.2, 2]);
  assertEquals(pairedRatio(pairs, "p99"), undefined);
  assertStringIncludes(pairsRow("hello", pairs), "1.20 (1.10-2.00)!");
});

Deno.test("progress: how far, and how much longer", () => {
  const line = progressLine(30, 120, 60, "hello");
  assertEquals(line.match(/█/g)?.length, 6);
  assertStringIncludes(line, "30/120, 3 min left: hello");
  assert(!progressLine(0, 120, 0, "hello").includes("left"));
});

Deno.test("repeatCommand: what was measured, not how it was shown", () => {
  assertEquals(
    repeatCommand(["--quick", "--markdown", "--only", "hello", "--no-page"]),
    "deno task bench --quick --only hello",
  );
});
