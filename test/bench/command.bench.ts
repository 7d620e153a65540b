/** Whole commands against a bare start of Node. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lokiProgram } from '../support/story.ts';
import type { Bench, Subject } from './harness.ts';

function starts(name: string, args: readonly string[], env: Readonly<Record<string, string>>, input: string, cwd: string, expected: number): Subject {
  return {
    name,
    run() {
      const { status, stderr } = spawnSync(process.execPath, args, { env, input, cwd });
      if (status !== expected) throw new Error(`${name} ended with ${status}: ${String(stderr)}`);
      return 1;
    },
  };
}

function scratchProject(): { readonly root: string; readonly project: string; readonly env: Readonly<Record<string, string>> } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
  const project = join(root, 'project');
  mkdirSync(project);
  return { root, project, env: { PATH: process.env['PATH'] ?? '', HOME: root, LOKI_HOME: join(root, 'home') } };
}

const hook: Bench = {
  // A goal that is not reached where it was measured: docs/decisions/0005 says what is in the way.
  name: 'hook-generic', unit: 'hooks', rounds: 25, promise: { kind: 'at most plus', milliseconds: 40 },
  async prepare() {
    const { root, project, env } = scratchProject();
    const made = spawnSync(process.execPath, [...lokiProgram, 'init', '--yes'], { cwd: project, env });
    if (made.status !== 0) throw new Error(String(made.stderr));
    const action = JSON.stringify({ kind: 'fs.write', file_path: 'src/index.js', content: 'export const one = 1;\n' });
    return {
      subject: starts('loki hook generic, a write that is allowed', [...lokiProgram, 'hook', 'generic'], env, action, project, 0),
      floor: starts('node -e 0', ['-e', '0'], env, action, project, 0),
      clean: () => rmSync(root, { recursive: true }),
    };
  },
};

const help: Bench = {
  name: 'help', unit: 'starts', rounds: 25, promise: { kind: 'at most plus', milliseconds: 20 },
  async prepare() {
    const { root, project, env } = scratchProject();
    return {
      subject: starts('loki --help', [...lokiProgram, '--help'], env, '', project, 0),
      floor: starts('node -e 0', ['-e', '0'], env, '', project, 0),
      clean: () => rmSync(root, { recursive: true }),
    };
  },
};

export const commandBenches: readonly Bench[] = [hook, help];
