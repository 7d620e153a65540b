/** A LOKI_HOME and a project on the real disk, in process and through the command line. Removed when the test ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openInstallation, projectOf, type Installation } from '../../lib/app/installation.ts';
import { performInit, planInit } from '../../lib/app/enrol.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { endOf, type ChildEnd } from './child.ts';
import { inProcesses, runHere } from './in-process.ts';
import { testPath } from './path.ts';
import { removeFolder } from './remove.ts';
import { lokiProgram } from './story.ts';

/** No command of a test takes longer; what does is ended. */
const commandTimeoutMs = 60_000;

export interface GroundCall {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Ground {
  /** The folder of everything; its name has a space in it. */
  readonly root: string;
  readonly home: string;
  readonly project: string;
  /** The whole environment of what is started here. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file below the root, its folders too; gives its path. */
  write(path: string, text: string): string;
  installation(env?: Readonly<Record<string, string>>, named?: string): Installation;
  /** Enrols the project with the policy it has. */
  enrol(): Promise<void>;
  /** Runs `loki` to its end: in the test's own process, in one of its own in the long suite. */
  loki(args: readonly string[], call?: GroundCall): Promise<ChildEnd>;
  /** Runs `loki` to its end in a process of its own. */
  process(args: readonly string[], call?: GroundCall): Promise<ChildEnd>;
  /** Starts `loki`; ended with its test, if not before. */
  start(args: readonly string[], call?: GroundCall): ChildProcess;
  /** Every entry of the log of record, oldest first. */
  entries(): readonly JsonObject[];
}

/** In the test's own process: what is left behind to run by itself would go on in a folder whose test has ended. */
function leavingNothing(installation: Installation): Installation {
  return { ...installation, host: { ...installation.host, spawn: { ...installation.host.spawn, leave: () => undefined } } };
}

/** New ground for one test. */
export function makeGround(t: { after(undo: () => void | Promise<void>): void }): Ground {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki ground ')));
  t.after(() => removeFolder(root));
  const [home, project] = [join(root, 'home'), join(root, 'project')];
  mkdirSync(project);
  const env = { PATH: testPath, HOME: root, LOKI_HOME: home, NO_COLOR: '1' };
  const start = (args: readonly string[], call: GroundCall = {}): ChildProcess => {
    const child = spawn(process.execPath, [...lokiProgram, ...args], { cwd: call.cwd ?? project, env: { ...env, ...call.env }, timeout: commandTimeoutMs, killSignal: 'SIGKILL' });
    t.after(() => { child.kill('SIGKILL'); });
    return child;
  };
  const inOwn = (args: readonly string[], call: GroundCall = {}): Promise<ChildEnd> => endOf(start(args, call), call.input);
  const installation: Ground['installation'] = (more = {}, named = project) => leavingNothing(openInstallation({ env: { ...env, ...more }, cwd: project, homeDirectory: root }, { project: named }));
  return {
    root, home, project, env, start, installation,
    write(path, text) {
      const place = join(root, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, text);
      return place;
    },
    async enrol() {
      const here = installation();
      await performInit(here, planInit(here, projectOf(here, project), false), 'user:tester');
    },
    loki: (args, call = {}) => (inProcesses ? inOwn(args, call) : runHere(args, { cwd: call.cwd ?? project, homeDirectory: root, env: { ...env, ...call.env }, ...(call.input === undefined ? {} : { input: call.input }) })),
    process: inOwn,
    entries() {
      const folder = join(home, 'dashboard/audit');
      return readdirSync(folder).sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean)).map((line): JsonObject => JSON.parse(line));
    },
  };
}

/** Far more than anything takes: a crowded machine is slow, and what never comes is told all the same. */
const patienceMs = 30_000;

/** Asks until it is so; fails after half a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + patienceMs; !await isSo();) {
    if (performance.now() > end) throw new Error(`Not within half a minute: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}
