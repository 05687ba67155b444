/** What a pattern leads to; undefined sends the search on to the next match. */
export interface RouteNode<Target> {
  /** The target for a request method, if there is one. */
  forMethod(method: string): Target | undefined;
  /** There is one target, whatever the method. */
  readonly isForAnyMethod: boolean;
}

/** A matched route. */
export interface RouteMatch<Target> {
  /** What the pattern leads to. */
  readonly target: Target;
  /** Decoded parameters by name; an object without a prototype. */
  readonly params: Readonly<Record<string, string>>;
  /** What a trailing `*` matched, as the client wrote it. */
  readonly rest: string;
}

interface Leaf<Target> {
  readonly node: RouteNode<Target>;
  readonly names: readonly string[];
}

/** One segment position of the pattern tree. */
class Branch<Target> {
  readonly literals: Map<string, Branch<Target>> = new Map();
  param: Branch<Target> | undefined;
  /** Pattern that ends here. */
  leaf: Leaf<Target> | undefined;
  /** Pattern whose `*` begins here. */
  wildcard: Leaf<Target> | undefined;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(
  Object.create(null),
);

/**
 * Finds the route for a path, as the client wrote it: case-sensitive, not
 * decoded, dot segments and double slashes kept. Per segment a literal wins
 * over a parameter and a parameter over a wildcard, whatever the order of
 * declaration. Each tree node is visited at most once, so the cost follows the
 * length of the path.
 */
export class Router<Target> {
  /** Patterns without parameters or wildcard answer from here first. */
  readonly #exact: Map<string, RouteNode<Target>> = new Map();
  readonly #root: Branch<Target> = new Branch();
  #hasTree = false;

  /** Whether no pattern was added. */
  get isEmpty(): boolean {
    return this.#exact.size === 0 && !this.#hasTree;
  }

  /**
   * Adds a pattern.
   *
   * @throws {TypeError} If the pattern is not a path.
   * @throws {Error} If a parameter name is repeated or begins with a digit.
   */
  add(pattern: string, node: RouteNode<Target>): void {
    if (!pattern.startsWith("/")) {
      throw Object.assign(
        new TypeError(
          `Cannot add route "${pattern}": a route must begin with "/"`,
        ),
        { code: "ERR_INVALID_ARG_TYPE" },
      );
    }
    const segments = pattern.slice(1).split("/");
    const names: string[] = [];
    let branch = this.#root;
    let isExact = true;
    for (const [index, segment] of segments.entries()) {
      if (segment === "*" && index === segments.length - 1) {
        branch.wildcard = { node, names };
        this.#hasTree = true;
        return;
      }
      if (segment.startsWith(":")) {
        names.push(checkName(segment.slice(1), names, pattern));
        branch = branch.param ??= new Branch();
        isExact = false;
      } else {
        let next = branch.literals.get(segment);
        if (next === undefined) {
          branch.literals.set(segment, next = new Branch());
        }
        branch = next;
      }
    }
    branch.leaf = { node, names };
    if (isExact) this.#exact.set(pattern, node);
    else this.#hasTree = true;
  }

  /** The patterns that are paths: nothing else answers for them first. */
  exactRoutes(): Iterable<[path: string, node: RouteNode<Target>]> {
    return this.#exact.entries();
  }

  /** The best route for a path and method, or undefined. */
  match(path: string, method: string): RouteMatch<Target> | undefined {
    const target = this.#exact.size === 0
      ? undefined
      : this.#exact.get(path)?.forMethod(method);
    if (target !== undefined) return { target, params: NO_PARAMS, rest: "" };
    if (!this.#hasTree) return undefined;
    return search(this.#root, path, 1, method, []);
  }
}

function search<Target>(
  branch: Branch<Target>,
  path: string,
  start: number,
  method: string,
  values: string[],
): RouteMatch<Target> | undefined {
  const slash = path.indexOf("/", start);
  const end = slash === -1 ? path.length : slash;
  const segment = path.slice(start, end);

  const literal = branch.literals.get(segment);
  const found = literal && descend(literal, path, slash, method, values);
  if (found) return found;

  // A parameter never matches an empty segment.
  if (branch.param !== undefined && segment !== "") {
    values.push(segment);
    const found = descend(branch.param, path, slash, method, values);
    if (found) return found;
    values.pop();
  }

  if (branch.wildcard !== undefined) {
    return finish(branch.wildcard, method, values, path.slice(start));
  }
  return undefined;
}

function descend<Target>(
  branch: Branch<Target>,
  path: string,
  slash: number,
  method: string,
  values: string[],
): RouteMatch<Target> | undefined {
  if (slash !== -1) return search(branch, path, slash + 1, method, values);
  return branch.leaf && finish(branch.leaf, method, values, "");
}

function finish<Target>(
  leaf: Leaf<Target>,
  method: string,
  values: readonly string[],
  rest: string,
): RouteMatch<Target> | undefined {
  const target = leaf.node.forMethod(method);
  if (target === undefined) return undefined;
  const { names } = leaf;
  if (names.length === 0) return { target, params: NO_PARAMS, rest };
  const params = new Params() as Record<string, string>;
  for (let index = 0; index < names.length; index++) {
    params[names[index]!] = decodeSegment(values[index]!);
  }
  return { target, params, rest };
}

/**
 * An object that inherits nothing, so that a parameter may be named
 * "__proto__". `Object.create(null)` would do, but makes a hash table, which
 * is several times slower than an object with a shape.
 */
const Params = function () {} as unknown as new () => object;
Params.prototype = Object.freeze(Object.create(null));

/** Percent-decodes; bytes that are not UTF-8 become U+FFFD (RFC 3986, 2.1). */
export function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return decodeLoosely(segment);
  }
}

/** Keeps malformed escapes as they are, decodes the rest. */
function decodeLoosely(segment: string): string {
  const source = new TextEncoder().encode(segment);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    const byte = source[index]!;
    const high = byte === 0x25 ? hexValue(source[index + 1]) : -1;
    const low = high === -1 ? -1 : hexValue(source[index + 2]);
    if (low === -1) {
      bytes[length++] = byte;
    } else {
      bytes[length++] = high * 16 + low;
      index += 2;
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    bytes.subarray(0, length),
  );
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function checkName(
  name: string,
  seen: readonly string[],
  pattern: string,
): string {
  if (name === "") {
    throw new Error(`Cannot add route "${pattern}": a parameter has no name`);
  }
  if (name[0]! >= "0" && name[0]! <= "9") {
    throw new Error(
      `Cannot add route "${pattern}": parameter name "${name}" begins with a digit`,
    );
  }
  if (seen.includes(name)) {
    throw new Error(
      `Cannot add route "${pattern}": parameter name "${name}" is repeated`,
    );
  }
  return name;
}
