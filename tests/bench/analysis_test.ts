import { assert, assertEquals } from "@std/assert";
import {
  analyze,
  analyzeCase,
  type AnalyzedCase,
  type Row,
} from "../../bench/report/analysis.ts";
import type { Metrics } from "../../bench/method/sample.ts";
import { results, samples, subject, workload } from "./fixture.ts";

function rowOf({ rows }: AnalyzedCase, id: string): Row {
  const found = rows.find((row) => row.subject.id === id);
  assert(found !== undefined);
  return found;
}

/** A case of one metric: what ours and two peers took in each round. */
function caseOf(
  name: keyof Metrics,
  ours: readonly number[],
  bun: readonly number[],
  node: readonly number[],
): Row {
  const rounds = (values: readonly number[]) =>
    values.map((value): Metrics => ({ [name]: value }));
  const analyzed = analyzeCase(workload("x"), 64, [
    ...samples("x", "native", 64, rounds(ours)),
    ...samples("x", "bun", 64, rounds(bun)),
    ...samples("x", "node", 64, rounds(node)),
    ...samples("x", "floor", 64, rounds([0.001, 0.001])),
  ], [subject("native"), subject("bun"), subject("node"), subject("floor")]);
  return rowOf(analyzed, "native");
}

Deno.test("analyze: a case for each number of connections that was measured", () => {
  const cases = analyze(results());
  assertEquals(
    cases.map(({ workload, connections, rows }) => [
      workload.name,
      connections,
      rows.map((row) => row.subject.id),
    ]),
    [
      ["hello", 64, ["native", "bun", "floor"]],
      ["hello", 1, ["bun"]],
    ],
  );
});

Deno.test("ratio: against the peer that is best, not against the floor", () => {
  const lower = caseOf("cpu", [9, 9], [10, 10], [12, 12]).ratios.cpu!;
  assertEquals(lower.peer.id, "bun");
  assertEquals(lower.value, 0.9);
  assertEquals(lower.isBetter, true);

  const higher = caseOf("operationsPerSecond", [9, 9], [10, 10], [12, 12])
    .ratios.operationsPerSecond!;
  assertEquals(higher.peer.id, "node");
  assertEquals(higher.value, 0.75);
  assertEquals(higher.isBetter, false);
});

Deno.test("ratio: rounds that overlap decide nothing", () => {
  const { cpu } = caseOf("cpu", [7, 8, 11], [10, 10, 10], [20, 20, 20]).ratios;
  assertEquals(cpu!.value, 0.8);
  assertEquals(cpu!.isBetter, undefined);
});

Deno.test("ratio: none without peers, and none for what is only explained", () => {
  const alone = analyzeCase(
    workload("x"),
    1,
    samples("x", "native", 1, [{ cpu: 5 }]),
    [subject("native")],
  );
  assertEquals(rowOf(alone, "native").ratios, {});
  assertEquals(caseOf("busiestThread", [1], [1], [1]).ratios, {});
});

Deno.test("a server with time to spare was not the limit", () => {
  const isLoadBound = (
    busiestThread: number,
    connections: number,
    isClosedLoop: boolean,
  ) =>
    rowOf(
      analyzeCase(
        workload("x", { isClosedLoop }),
        connections,
        samples("x", "bun", connections, [{ busiestThread }]),
        [subject("bun")],
      ),
      "bun",
    ).isLoadBound;
  assertEquals(isLoadBound(0.7, 64, true), true);
  assertEquals(isLoadBound(0.95, 64, true), false);
  // With one connection each waits for the other; at a fixed rate nobody hurries.
  assertEquals(isLoadBound(0.7, 1, true), false);
  assertEquals(isLoadBound(0.7, 64, false), false);
});
