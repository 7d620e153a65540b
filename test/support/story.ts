/**
 * Stories: the command line as text files in fixtures/cli. Each runs against the real program, built when the tests run
 * built, or against its commands in the test's own process, in directories of its own. fixtures/cli/README.md says what the lines mean.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runHere } from './in-process.ts';
import { testPath } from './path.ts';
import { removeFolder } from './remove.ts';
import { packageRoot } from './root.ts';

/** The program as an argument list for node. */
export const lokiProgram: readonly string[] = fileURLToPath(import.meta.url).endsWith('.ts')
  ? ['--import', pathToFileURL(path.join(packageRoot, 'node_modules/tsx/dist/esm/index.mjs')).href, path.join(packageRoot, 'cli/loki.ts')]
  : [['dist/cli/loki.cjs', 'dist/cli/loki.js'].map((name) => path.join(packageRoot, name)).find((name) => fs.existsSync(name)) ?? ''];

/** One command of a story and what it must do. */
interface Step {
  readonly line: number;
  readonly command: string;
  readonly input: string[];
  exit: number;
  readonly stdout: Expectation[];
  readonly stderr: Expectation[];
  readonly checks: (readonly [line: number, text: string])[];
}

interface Expectation {
  readonly kind: 'text' | 'pattern' | 'any';
  readonly text: string;
}

/** A file to write before the next command. */
interface Write {
  readonly line: number;
  readonly path: string;
  readonly text: string[];
}

export interface Story {
  readonly title: string;
  readonly parts: readonly (Step | Write)[];
}

/** Reads a story; throws on a line it does not know. */
export function parseStory(text: string): Story {
  const [title = '', ...lines] = text.split('\n');
  const parts: (Step | Write)[] = [];
  lines.forEach((line, at) => {
    const number = at + 2;
    const [, mark = '', rest = ''] = /^(\S+)(?: (.*))?$/.exec(line) ?? [];
    const last = parts[parts.length - 1];
    if (line === '' || mark === '#') return;
    if (mark === '$') parts.push({ line: number, command: rest, input: [], exit: 0, stdout: [], stderr: [], checks: [] });
    else if (mark === 'write') parts.push({ line: number, path: rest, text: [] });
    else if (mark === '|' && last !== undefined && 'text' in last) last.text.push(rest);
    else if (last === undefined || !('command' in last)) throw new Error(`line ${number} stands before any command: ${line}`);
    else if (mark === '<') last.input.push(rest);
    else if (mark === 'exit') last.exit = Number(rest);
    else if (mark === '1>' || mark === '2>') (mark === '1>' ? last.stdout : last.stderr).push({ kind: 'text', text: rest });
    else if (mark === '1~' || mark === '2~') (mark === '1~' ? last.stdout : last.stderr).push({ kind: 'pattern', text: rest });
    else if (mark === '1*' || mark === '2*') (mark === '1*' ? last.stdout : last.stderr).push({ kind: 'any', text: '' });
    else if (['exists', 'absent', 'contains', 'remove', 'mode'].includes(mark)) last.checks.push([number, line]);
    else throw new Error(`line ${number} is not understood: ${line}`);
  });
  return { title, parts };
}

/** Where a story plays. */
interface Stage {
  readonly root: string;
  readonly home: string;
  readonly project: string;
  readonly isProcess: boolean;
}

/** Plays a story from beginning to end; throws at the first thing that is not as told. */
export async function playStory(story: Story, how: 'processes' | 'here' = 'processes'): Promise<void> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'loki-story-')));
  const stage = { root, home: path.join(root, 'home'), project: path.join(root, 'project'), isProcess: how === 'processes' };
  fs.mkdirSync(stage.project);
  try {
    for (const part of story.parts) {
      if ('command' in part) await playStep(part, stage);
      else write(part, stage);
    }
  } finally {
    await removeFolder(root);
  }
}

function write(part: Write, stage: Stage): void {
  const target = placed(part.path, stage);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, part.text.map((line) => `${filled(line, stage)}\n`).join(''));
}

async function playStep(step: Step, stage: Stage): Promise<void> {
  const { words, env } = splitCommand(filled(step.command, stage));
  assert.equal(words[0], 'loki', `line ${step.line}: a story runs loki only`);
  const result = await run(words.slice(1), filled(step.input.join('\n'), stage), stage, env);
  const told = `line ${step.line}: $ ${step.command}\n--- stdout\n${result.stdout}--- stderr\n${result.stderr}`;
  assert.equal(result.status, step.exit, `${told}--- exit`);
  matchLines(result.stdout, step.stdout, stage, `${told}--- stdout`);
  matchLines(result.stderr, step.stderr, stage, `${told}--- stderr`);
  for (const [line, text] of step.checks) check(text, stage, `line ${line}: ${text}`);
}

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], input: string, stage: Stage, more: Readonly<Record<string, string>>): Promise<Result> {
  const env = { PATH: testPath, HOME: stage.root, LOKI_HOME: stage.home, ...more };
  if (!stage.isProcess) {
    const { exit: status, stdout, stderr } = await runHere(args, { cwd: stage.project, homeDirectory: stage.root, env, input });
    return { status, stdout, stderr };
  }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...lokiProgram, ...args], { cwd: stage.project, timeout: 60_000, env });
    const printed = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => { printed.stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { printed.stderr += text; });
    // A command that reads no input may have ended before it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject).once('close', (status) => resolve({ status, ...printed }));
  });
}

/** Words with '…' and "…" quoting, and NAME=value before the program. No shell. */
function splitCommand(text: string): { words: string[]; env: Record<string, string> } {
  const words = [...text.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  const env: Record<string, string> = {};
  while (words[0] !== undefined && /^\w+=/.test(words[0])) {
    const [name = '', ...value] = (words.shift() ?? '').split('=');
    env[name] = value.join('=');
  }
  return { words, env };
}

function matchLines(text: string, expected: readonly Expectation[], stage: Stage, told: string): void {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  let at = 0;
  let skipping = false;
  for (const { kind, text: wanted } of expected) {
    if (kind === 'any') {
      skipping = true;
      continue;
    }
    const words = filled(wanted, stage);
    const fits = (line: string): boolean => (kind === 'text' ? line === words : new RegExp(`^(?:${wanted})$`).test(line.replaceAll(stage.root, '{root}')));
    const found = skipping ? lines.findIndex((line, index) => index >= at && fits(line)) : at;
    assert.ok(found >= 0 && found < lines.length && fits(lines[found] ?? ''), `${told}: expected ${kind} "${words}", found "${lines[at] ?? 'the end'}"`);
    at = found + 1;
    skipping = false;
  }
  assert.ok(skipping || at === lines.length, `${told}: not expected: "${lines[at] ?? ''}"`);
}

function check(text: string, stage: Stage, told: string): void {
  const [verb = '', name = '', ...rest] = text.split(' ');
  const target = placed(name, stage);
  const words = filled(rest.join(' '), stage);
  if (verb === 'exists') assert.ok(fs.existsSync(target), told);
  else if (verb === 'absent') assert.ok(!fs.existsSync(target), told);
  else if (verb === 'contains') assert.ok(fs.readFileSync(target, 'utf8').includes(words), `${told}\n${fs.readFileSync(target, 'utf8')}`);
  else if (verb === 'remove') fs.rmSync(target, { recursive: true });
  else fs.chmodSync(target, Number.parseInt(words, 8));
}

/** `{home}`, `{project}` and `{root}` stand for the story's directories. */
function filled(text: string, stage: Stage): string {
  return text.replaceAll('{home}', stage.home).replaceAll('{project}', stage.project).replaceAll('{root}', stage.root);
}

function placed(name: string, stage: Stage): string {
  return path.resolve(stage.project, filled(name, stage));
}
