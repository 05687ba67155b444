/**
 * Gets the test suite, which is written in Python 2.
 *
 * @module
 */

const VERSION = "25.10.1";
const decoder = new TextDecoder();

/** How to run the suite. */
export interface Suite {
  /** Path of the Python interpreter. */
  readonly python: string;
  /** Path of the script. */
  readonly script: string;
  /** The environment that it needs. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds Python 2.7 and installs the suite for it in the user's cache directory,
 * unless it is there already.
 *
 * @throws {Error} Without such a Python, or if it cannot be installed.
 */
export async function installSuite(): Promise<Suite> {
  const python = await findPython();
  if (python === undefined) {
    throw new Error(
      "Cannot find Python 2.7, which the test suite is written in: install " +
        "it, for example with `pyenv install 2.7.18`, or name it by $PYTHON2",
    );
  }
  const home = Deno.env.get("HOME") ?? "/tmp";
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  // Python takes packages from there instead of from the user's own.
  const base = `${caches}/jstime-serve-autobahn-${VERSION}`;
  const env = { PYTHONUSERBASE: base };
  const suite = { python, script: `${base}/bin/wstest`, env };
  if (await answers(suite)) return suite;
  console.log(`Installing autobahntestsuite ${VERSION} into ${base}`);
  if (!await succeeds(python, ["-m", "pip", "--version"], env)) {
    await run(python, ["-m", "ensurepip", "--user"], env);
  }
  await run(python, [
    ...["-m", "pip", "install", "--user", "--ignore-installed"],
    ...["--no-warn-script-location", "--disable-pip-version-check"],
    `autobahntestsuite==${VERSION}`,
  ], env);
  if (!await answers(suite)) throw new Error(`${suite.script} does not run`);
  return suite;
}

function answers({ python, script, env }: Suite): Promise<boolean> {
  return succeeds(python, [script, "--autobahnversion"], env);
}

async function findPython(): Promise<string | undefined> {
  const candidates = [
    Deno.env.get("PYTHON2"),
    ...["python2.7", "python2", "pypy", "pypy2"],
    ...await pyenvVersions(),
  ];
  const test = "import sys; sys.exit(sys.version_info[:2] != (2, 7))";
  for (const path of candidates) {
    if (path && await succeeds(path, ["-c", test])) return path;
  }
}

/** Those of pyenv, which are not found by name until somebody chooses one. */
async function pyenvVersions(): Promise<string[]> {
  const root = Deno.env.get("PYENV_ROOT") || `${Deno.env.get("HOME")}/.pyenv`;
  const paths: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${root}/versions`)) {
      if (!/^(2\.7|pypy2\.7)/.test(name)) continue;
      paths.push(`${root}/versions/${name}/bin/python`);
    }
  } catch {
    // There is no pyenv.
  }
  return paths;
}

async function succeeds(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  try {
    await run(path, args, env);
    return true;
  } catch {
    return false;
  }
}

async function run(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const command = new Deno.Command(path, { args: [...args], env });
  const { success, stdout, stderr } = await command.output();
  if (success) return;
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  throw new Error(`${path} ${args.join(" ")} failed:\n${text}`);
}
