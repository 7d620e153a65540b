/** `loki hook claude` as Claude Code runs it: 100 rules, a log of a gigabyte; against a bare start of Node. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lokiProgram } from '../support/story.ts';
import type { Bench, Subject } from './harness.ts';

interface Ground {
  readonly root: string;
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  clean(): void;
}

/** Files of a hundred megabytes before the one that is written to: a hook lists them, and reads none. */
const oldFiles = 10;

function makeGround(): Ground {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-bench-')));
  const project = join(root, 'project');
  mkdirSync(project);
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, LOKI_HOME: join(root, 'home') };
  const init = (): void => {
    const { status, stderr } = spawnSync(process.execPath, [...lokiProgram, 'init', '--yes'], { cwd: project, env });
    if (status !== 0) throw new Error(String(stderr));
  };
  init();
  const policy = join(project, '.loki/policies.yaml');
  const own = (readFileSync(policy, 'utf8').match(/^ {4}- name:/gm) ?? []).length;
  const rules = Array.from({ length: Math.max(0, 100 - own) }, (_, n) => `    - name: extra-${n}\n      when: '${n % 2 === 0 ? `command matches "tool${n} --flag*"` : `file_path matches "**/area-${n}/**"`}'\n      action: deny\n`).join('');
  writeFileSync(policy, readFileSync(policy, 'utf8').replace(/^ {2}pre_execution:\n/m, `  pre_execution:\n${rules}`));
  init();
  fillLog(join(root, 'home/dashboard/audit'));
  return { root, project, env, clean: () => rmSync(root, { recursive: true }) };
}

/** Older days' files. What stands in them is never looked at by a hook; that there are so many is. */
function fillLog(directory: string): void {
  const [newest = ''] = readdirSync(directory);
  const line = `${'x'.repeat(999)}\n`;
  const first = join(directory, 'audit-2020-01-01.jsonl');
  writeFileSync(first, readFileSync(join(directory, newest)));
  for (let written = 0; written < 100; written += 1) appendFileSync(first, line.repeat(1000));
  for (let n = 2; n <= oldFiles; n += 1) copyFileSync(first, join(directory, `audit-2020-01-${String(n).padStart(2, '0')}.jsonl`));
}

const event = (tool: string, input: object): string => JSON.stringify({ session_id: 'bench', hook_event_name: 'PreToolUse', permission_mode: 'default', tool_name: tool, tool_input: input, tool_use_id: 'toolu_1' });

function hookOf({ project, env }: Ground, name: string, input: string): Subject {
  return {
    name,
    run() {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...lokiProgram, 'hook', 'claude', '--project', project], { env, input, cwd: project });
      if (status !== 0 || stdout.length > 0) throw new Error(`${name} ended with ${status}: ${String(stdout)}${String(stderr)}`);
      return 1;
    },
  };
}

function bareNode({ project, env }: Ground, input: string): Subject {
  return { name: 'node -e 0', run: () => { spawnSync(process.execPath, ['-e', '0'], { env, input, cwd: project }); return 1; } };
}

const source = readFileSync(new URL(import.meta.url)).toString('utf8').repeat(6);

function single(name: string, words: string, milliseconds: number, input: string): Bench {
  return {
    name, unit: 'hooks', rounds: 41, promise: { kind: 'at most plus', milliseconds },
    async prepare() {
      const ground = makeGround();
      return { subject: hookOf(ground, words, input), floor: bareNode(ground, input), clean: ground.clean };
    },
  };
}

const crowd = 100;

/** A hundred at once: all are recorded, and the last one's wait is what a call pays in the worst case. */
const atOnce: Bench = {
  name: 'hook-claude-crowd', unit: 'hooks', rounds: 3, promise: { kind: 'at most', times: 4 },
  async prepare() {
    const ground = makeGround();
    const file = join(ground.root, 'event.json');
    writeFileSync(file, event('Bash', { command: 'npm test' }));
    const all = (args: readonly string[]): Promise<number> => Promise.all(Array.from({ length: crowd }, () => ended(args, ground, file))).then(() => crowd);
    return {
      subject: { name: `${crowd} hooks at once`, run: () => all([...lokiProgram, 'hook', 'claude', '--project', ground.project]) },
      floor: { name: `${crowd} node -e 0 at once`, run: () => all(['-e', '0']) },
      clean: () => {
        const recorded = readdirSync(join(ground.root, 'home/dashboard/audit')).filter((name) => !name.startsWith('audit-2020')).map((name) => readFileSync(join(ground.root, 'home/dashboard/audit', name), 'utf8').split('"event":"policy.allow"').length - 1).reduce((sum, n) => sum + n, 0);
        if (recorded !== crowd * 4) throw new Error(`${recorded} of ${crowd * 4} decisions are recorded`);
        ground.clean();
      },
    };
  },
};

/** The event comes from a file: a pipe would be closed only after the last of them has been started. */
function ended(args: readonly string[], { env, project }: Ground, file: string): Promise<void> {
  const event = openSync(file, 'r');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, cwd: project, stdio: [event, 'ignore', 'inherit'] });
    closeSync(event);
    child.on('close', (code) => { if (code === 0) resolve(); else reject(new Error(`ended with ${code}`)); });
  });
}

export const hookBenches: readonly Bench[] = [
  single('hook-claude-exec', 'loki hook claude, a command that is allowed', 40, event('Bash', { command: 'npm test' })),
  single('hook-claude-write', `loki hook claude, ${Math.round(source.length / 1000)} kB written, all of it scanned`, 60, event('Write', { file_path: 'src/index.js', content: source })),
  atOnce,
];
