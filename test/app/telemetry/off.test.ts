/** What telemetry costs a hook: nothing of it is loaded, opened or left where nobody asked for it; where somebody did, what is handed over, and no more. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { endOf, treeRoot } from '../../support/child.ts';
import { makeGround, type Ground } from '../../support/ground.ts';
import { fixture, packageRoot } from '../../support/root.ts';

const policy = 'version: 1\npolicies:\n  pre_execution:\n    - { name: no, when: \'command matches "echo forbidden*"\', action: deny }\n';
const input = JSON.stringify({ session_id: 'one', hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command: 'echo forbidden' }, tool_use_id: 'call_1' });
/** Nobody listens there, and nobody is asked. */
const receiver = 'http://127.0.0.1:9';

/** All that is loaded with a file, by what stands in the files; what is imported when a call needs it is not. */
function loadedWith(path: string, found: Set<string> = new Set()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  const code = readFileSync(join(treeRoot, path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [, name = ''] of code.matchAll(/(?:^|\n)\s*(?:import|export)\s(?!type\b)[^'"`;]*?\bfrom\s*['"](\.[^'"]+)['"]/g)) loadedWith(relative(treeRoot, join(treeRoot, dirname(path), name)), found);
  return found;
}

test('what a hook loads of telemetry is what looks whether there is any', () => {
  const extension = existsSync(join(treeRoot, 'cli/main.ts')) ? 'ts' : 'js';
  const roots = ['cli/main', 'cli/commands/hook-agent', 'cli/commands/hook-generic', 'lib/app/gate', 'lib/app/hook/answer', 'lib/app/outcomes', 'lib/entry/gate'];
  const loaded = new Set(roots.flatMap((root) => [...loadedWith(`${root}.${extension}`)]));
  assert.ok(loaded.has(`lib/policy/judge.${extension}`), 'the walk reaches the judge');
  const ofTelemetry = [...loaded].filter((path) => /telemetry|otlp|\btrace\b|spans/.test(path)).map((path) => path.replace(/\.\w+$/, '')).sort();
  assert.deepEqual(ofTelemetry, ['lib/app/telemetry/entries', 'lib/app/telemetry/gate', 'lib/app/telemetry/telemetry', 'lib/base/otlp-endpoint', 'lib/base/otlp-headers', 'lib/base/trace', 'lib/base/trace-context', 'lib/config/sections/telemetry']);
});

interface Left {
  readonly opened: readonly string[];
  /** Below LOKI_HOME. */
  readonly files: readonly string[];
}

const program = join(packageRoot, 'dist/cli/loki.cjs');

/** Runs one hook event in a process whose doings are watched. */
async function watched(ground: Ground, env: Readonly<Record<string, string>>): Promise<Left> {
  const child = spawn(process.execPath, ['--import', pathToFileURL(fixture('support', 'watch-world.mjs')).href, program, 'hook', 'claude', '--project', ground.project], {
    // Within a session: what is left behind for later is another process.
    cwd: ground.project, env: { ...ground.env, LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV', ...env }, timeout: 30_000, killSignal: 'SIGKILL',
  });
  const { stdout, stderr, exit } = await endOf(child, input);
  assert.deepEqual([exit, stderr], [0, '']);
  assert.match(stdout, /"permissionDecision":"deny"/);
  const { opened } = JSON.parse(stdout.slice(stdout.lastIndexOf('{"opened"'))) as { readonly opened: readonly string[] };
  return { opened, files: readdirSync(ground.home, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => relative(ground.home, join(each.parentPath, each.name))).sort() };
}

const counted = (opened: readonly string[], of: RegExp): readonly string[] => opened.filter((name) => of.test(name)).sort();

describe('a hook in a process of its own', () => {
  test('leaves nothing of telemetry where nobody asked for it, and exactly what it hands over where somebody did', async (t) => {
    if (!existsSync(program)) return t.diagnostic('dist/ is not built: no process was watched');
    const [quiet, telling] = [makeGround(t), makeGround(t)];
    for (const ground of [quiet, telling]) ground.write('project/.loki/policies.yaml', policy);
    const off = await watched(quiet, {});
    const on = await watched(telling, { LOKI_OTEL_ENDPOINT: receiver });
    assert.deepEqual(off.files.filter((path) => /telemetry|spool|otlp/.test(path)), []);
    const more = on.files.filter((path) => !off.files.includes(path));
    assert.deepEqual(more.map((path) => path.replace(/[^/]*\.(\w+\.jsonl)$/, '….$1')).sort(), ['spool/telemetry/handed-over/….logs.jsonl', 'spool/telemetry/handed-over/….traces.jsonl']);
    // The lock of the log is a socket of the kernel, without a network; telemetry opens none, no child and no timer.
    const world = /^(net|dgram|child_process|globalThis)\./;
    assert.deepEqual(counted(on.opened, world), counted(off.opened, world));
    return undefined;
  });

  test('asks the system for no file of telemetry and no network where nobody asked for it', async (t) => {
    if (!existsSync(program)) return t.diagnostic('dist/ is not built: no process was traced');
    if (spawnSync('strace', ['-V']).status !== 0) return t.skip('strace is not installed: the system calls were not looked at');
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', policy);
    const calls = async (env: Readonly<Record<string, string>>): Promise<string> => {
      const place = join(ground.root, 'calls');
      const child = spawn('strace', ['-f', '-qq', '-s', '200', '-e', 'trace=%file,%network', '-o', place, process.execPath, program, 'hook', 'claude', '--project', ground.project], {
        cwd: ground.project, env: { ...ground.env, LOKI_SESSION_ID: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV', ...env }, timeout: 60_000, killSignal: 'SIGKILL',
      });
      assert.match((await endOf(child, input)).stdout, /"permissionDecision":"deny"/);
      return readFileSync(place, 'utf8');
    };
    const off = await calls({});
    assert.match(off, /dashboard\/audit/, 'the trace has the calls of the hook');
    assert.doesNotMatch(off, /telemetry|otlp|AF_INET/);
    const on = await calls({ LOKI_OTEL_ENDPOINT: receiver });
    assert.match(on, /spool\/telemetry\/handed-over/);
    assert.doesNotMatch(on, /AF_INET/);
    return undefined;
  });
});
