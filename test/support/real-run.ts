/** A run with real processes: real files, git, gates and agents in a scratch folder; store and log in memory. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { projectIdOf } from '../../lib/base/ids.ts';
import { createHost } from '../../lib/host/host.ts';
import { agentEnvironment } from '../../lib/runs/environment.ts';
import type { HeadlessAgent } from '../../lib/agents/headless/headless.ts';
import { createRoom } from '../../lib/host/agent-room.ts';
import { agentProvider } from '../../lib/runs/agent-provider.ts';
import { commandProvider, scriptedProvider } from '../../lib/runs/command-provider.ts';
import type { RunDeps, RunOrder, RunSettings } from '../../lib/runs/deps.ts';
import { readPrd } from '../../lib/runs/prd.ts';
import type { Store } from '../../lib/store/store.ts';
import type { Host } from '../../lib/ports.ts';
import { createBench, type Bench } from './run-bench.ts';
import { fixture, packageRoot } from './root.ts';

const unbuilt = import.meta.url.endsWith('.ts');
const loader: readonly string[] = unbuilt ? ['--import', pathToFileURL(join(packageRoot, 'node_modules/tsx/dist/esm/index.mjs')).href] : [];

/** Program and arguments of the player. */
export const player: readonly string[] = [process.execPath, ...loader, fileURLToPath(new URL(unbuilt ? './player.ts' : './player.js', import.meta.url))];
const stubGate: readonly string[] = [process.execPath, fixture('runs', 'stub-gate.mjs')];

export interface RealRun {
  readonly bench: Bench;
  readonly deps: RunDeps;
  readonly order: RunOrder;
  readonly host: Host;
  /** The scratch folder; the project is `project` in it, LOKI_HOME is `home`. */
  readonly dir: string;
  readonly projectDir: string;
  readonly home: string;
  git(...args: string[]): string;
}

export interface RealRunOptions {
  /** A script to play, or the command line of an agent. */
  readonly script?: string;
  readonly argv?: readonly string[];
  /** A coding agent; its program is looked for on PATH. */
  readonly agent?: HeadlessAgent;
  readonly settings?: Partial<RunSettings>;
  readonly deps?: Partial<RunDeps>;
  readonly store?: Store;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly prd?: string;
}

const settings: RunSettings = { max_iterations: 3, budget: null, gates: [], council: { reviewers: [], required: 0 }, branch_protection: false, retries: 0 };

/** Copies the sample project into a scratch folder, commits it, and sets a run up there. Removed when the test ends. */
export function realRun(t: { after(undo: () => void): void }, options: RealRunOptions): RealRun {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'loki run ')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [projectDir, home] = [join(dir, 'project'), join(dir, 'home')];
  cpSync(fixture('sample', 'project'), projectDir, { recursive: true });
  mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 });
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: projectDir, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: dir, GIT_CONFIG_NOSYSTEM: '1' } });
  writeFileSync(join(projectDir, '.loki', '.gitignore'), '*\n!.gitignore\n!config.yaml\n!policies.yaml\n');
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Sample Agent');
  git('config', 'user.email', 'agent@example.invalid');
  git('add', '-A');
  git('commit', '-q', '-m', 'tally 1.0.0');
  const host = createHost(() => home);
  const { disk, spawn, lock, facts, clock, timers, random } = host;
  const bench = createBench({ ...(options.store === undefined ? {} : { store: options.store }), deps: { disk, spawn, lock, facts, clock, timers, random, ...options.deps } });
  const env = { PATH: process.env['PATH'] ?? '', HOME: dir, LOKI_SLACK_BOT_TOKEN: 'must not be seen', GITHUB_TOKEN: 'must not be seen', LC_ALL: 'C', ...options.env };
  const order: RunOrder = {
    ...bench.order, env, home, project: { id: projectIdOf(projectDir), dir: projectDir, tenant_id: null },
    prd: readPrd(disk, options.prd ?? fixture('sample', 'PRD.md')), settings: { ...settings, ...options.settings },
    provider({ sessionId, runId }) {
      const common = { cwd: projectDir, timeoutMs: options.timeoutMs ?? 30_000, spawn, sessionId, env: agentEnvironment(env, { home, hook: stubGate, sessionId, runId, projectDir }) };
      if (options.agent !== undefined) return agentProvider({ ...common, agent: options.agent, hooks: [], plugin: '', room: createRoom(join(home, 'run', sessionId)), read: () => undefined });
      return options.argv === undefined ? scriptedProvider({ ...common, player, script: options.script ?? fixture('sample', 'agent', 'script.json') })
        : commandProvider({ ...common, name: 'command', argv: options.argv });
    },
  };
  return { bench, deps: bench.deps, order, host, dir, projectDir, home, git };
}
