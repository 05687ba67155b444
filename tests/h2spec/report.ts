/**
 * What the report of h2spec says.
 *
 * @module
 */

/** How one case went. */
export interface CaseResult {
  /** Suite, section and number, such as `http2/6.9.1/2`. */
  readonly name: string;
  /** What it does, as the suite says. */
  readonly title: string;
  /** What went wrong; undefined if nothing did. */
  readonly failure?: string;
  /** It could not be run. */
  readonly isSkipped: boolean;
}

/** What the suite calls its parts, by the beginning of the cases' names. */
export const groups: Readonly<Record<string, string>> = {
  generic: "what all servers can do",
  "http2/3": "preface",
  "http2/4": "frames, header blocks",
  "http2/5": "streams and their states",
  "http2/6": "types of frames, flow control",
  "http2/7": "error codes",
  "http2/8": "requests and their fields",
  hpack: "header compression",
};

/** The group that a case belongs to: the suite, or its chapter of RFC 7540. */
export function groupOf(name: string): string {
  const [suite, section] = name.split("/");
  return suite === "http2" ? `${suite}/${section!.split(".")[0]}` : suite!;
}

const elements =
  /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([^]*?)<\/testcase>/g;

/**
 * Reads a report, which has the form of JUnit's. The texts of errors in it are
 * not escaped, so that it cannot be read as XML.
 */
export function readReport(text: string): CaseResult[] {
  const counts: Map<string, number> = new Map();
  return [...text.matchAll(elements)].map(([, section, title, content]) => {
    const count = (counts.get(section!) ?? 0) + 1;
    counts.set(section!, count);
    const found = /<(failure|error)>([^]*)<\/\1>/.exec(content!);
    return {
      name: `${section}/${count}`,
      title: unescape(title!),
      failure: found ? found[2]!.trim() : undefined,
      isSkipped: content!.includes("<skipped>"),
    };
  });
}

/** Whether a case was run and passed. */
export function hasPassed({ failure, isSkipped }: CaseResult): boolean {
  return failure === undefined && !isSkipped;
}

function unescape(text: string): string {
  return text.replace(
    /&#(\d+);/g,
    (_, code) => String.fromCodePoint(Number(code)),
  ).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
