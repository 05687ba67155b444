/**
 * What is measured: each workload is one request, and how to tell that its
 * answer is right.
 *
 * @module
 */

/** The name of a workload. */
export type WorkloadName =
  | "hello"
  | "static"
  | "params"
  | "json"
  | "file-4k"
  | "file-64k"
  | "file-1m";

/** One request that is sent over and over. */
export interface Workload {
  /** Its name on the command line. */
  readonly name: WorkloadName;
  /** Its name in the table. */
  readonly title: string;
  /** Request method. */
  readonly method: "GET" | "POST";
  /** Request path. */
  readonly path: string;
  /** Request content, JSON; empty when there is none. */
  readonly content: string;
  /** Size of the file that is served, in bytes; 0 when none is. */
  readonly fileSize: number;
  /** The exact content of the answer. */
  readonly answer: () => Uint8Array;
}

const order = JSON.stringify({
  customer: "Ada",
  items: [{ name: "tea", count: 2 }, { name: "cup", count: 1 }],
});

/** All workloads, in the order in which they are run. */
export const workloads: readonly Workload[] = [
  get("hello", "hello", "/", "Hello"),
  get("static", "static route", "/static", "Hello"),
  get("params", "two params", "/users/42/posts/7", "42 7"),
  {
    ...get("json", "JSON POST", "/orders", `{"customer":"Ada","items":2}`),
    method: "POST",
    content: order,
  },
  fileOf("file-4k", "file, 4 KiB", 4 * 1024),
  fileOf("file-64k", "file, 64 KiB", 64 * 1024),
  fileOf("file-1m", "file, 1 MiB", 1024 * 1024),
];

/** The content of the file of a workload: bytes that repeat at no round size. */
export function fileContent(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => index % 251);
}

function get(
  name: WorkloadName,
  title: string,
  path: string,
  answer: string,
): Workload {
  return {
    name,
    title,
    path,
    method: "GET",
    content: "",
    fileSize: 0,
    answer: () => new TextEncoder().encode(answer),
  };
}

function fileOf(name: WorkloadName, title: string, size: number): Workload {
  return {
    ...get(name, title, "/file", ""),
    fileSize: size,
    answer: () => fileContent(size),
  };
}
