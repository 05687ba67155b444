/**
 * Makes a page of results: one file that needs nothing else, so that it opens
 * offline and can be sent to somebody.
 *
 * @module
 */

import { metricFacts } from "../method/metrics.ts";
import { analyze } from "../report/analysis.ts";
import { roundsText } from "../report/markdown.ts";
import { notesFor } from "../report/notes.ts";
import type { Results } from "../report/results.ts";
import { caseTable, legend } from "../report/table.ts";
import { escapeHtml, scriptData, scriptText } from "./escape.ts";
import { loadLibraries, type PlotLibraries } from "./libraries.ts";

/**
 * Makes the page and writes it to a file.
 *
 * @throws {Error} If the plotting library cannot be had from npm.
 */
export async function writePage(path: string, results: Results): Promise<void> {
  const libraries = await loadLibraries();
  await Deno.writeTextFile(path, await pageOf(results, libraries));
}

/** The page as text. */
export async function pageOf(
  results: Results,
  libraries: PlotLibraries,
): Promise<string> {
  const [template, styles, plots] = await Promise.all(
    ["template.html", "styles.css", "plots.js"].map((name) =>
      Deno.readTextFile(new URL(name, import.meta.url))
    ),
  );
  const cases = analyze(results);
  const values: Readonly<Record<string, string>> = {
    "styles": styles!,
    "summary": summaryOf(results),
    "notes": notesFor(results, cases).map(({ title, notes }) =>
      `<h3>${escapeHtml(title)}</h3>\n${list(notes)}`
    ).join("\n"),
    "tables": escapeHtml(
      [legend, ...cases.map((it) => caseTable(it))].join("\n\n"),
    ),
    "environment": definitions([
      ...Object.entries(results.environment),
      ...results.subjects.map(({ title, version, command }) =>
        [title, `${version}: ${command}`] as const
      ),
    ]),
    "licenses": escapeHtml(libraries.licenses),
    "data": scriptData({
      cases,
      samples: results.samples,
      metrics: metricFacts,
    }),
    "libraries": libraries.scripts
      .map((it) => `<script>${scriptText(it)}</script>`).join("\n"),
    "plots": scriptText(plots!),
  };
  return template!.replaceAll(
    /<!--([a-z]+)-->|\/\*([a-z]+)\*\//g,
    (mark, html, other) => values[html ?? other] ?? mark,
  );
}

function summaryOf(results: Results): string {
  const { created, command, seconds } = results;
  const moment = created.slice(0, 16).replace("T", " ");
  return `${escapeHtml(moment)} UTC, ${roundsText(results)} of ${seconds} s. ` +
    `Repeat it: <code>${escapeHtml(command)}</code>`;
}

function list(notes: readonly string[]): string {
  const items = notes.map((note) => `<li>${escapeHtml(note)}</li>`);
  return `<ul>${items.join("\n")}</ul>`;
}

function definitions(entries: readonly (readonly [string, string])[]): string {
  const items = entries.map(([name, value]) =>
    `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`
  );
  return `<dl>${items.join("\n")}</dl>`;
}
