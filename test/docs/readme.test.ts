/**
 * README.md is executed: what its `console` blocks type is typed, in order, in a scratch home with the real program, and must
 * print what the page says; its library example runs; its files, links and scripts exist. `…` on the page stands for
 * anything, a line that is only `…` for any lines.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { blocks, page } from '../support/page.ts';
import { nodePath, testPath } from '../support/path.ts';
import { packageRoot } from '../support/root.ts';
import { lokiProgram } from '../support/story.ts';

const name = 'README.md';

interface Typed { readonly command: string; readonly expected: readonly string[] }

/** The commands of the page's `console` blocks with what it says they print. */
function typedIn(text: string): readonly Typed[] {
  return blocks(text, 'console').flatMap((block) => block.split(/^\$ /m).slice(1).map((part) => {
    const [command = '', ...expected] = part.replace(/\n$/, '').split('\n');
    return { command, expected };
  }));
}

/** What differs from run to run, written as the page writes it. */
function settled(text: string, root: string): string {
  return text.replaceAll(root, '').replace(/\b(prj|apr|run|ses)_[0-9A-Z]{26}/g, '$1_X').replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/audit-\d{4}-\d\d-\d\d/g, 'audit-DAY');
}

/** Whether the lines are what the page says. */
function matches(actual: string, expected: readonly string[]): boolean {
  const form = expected.map((line) => (line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}\n`)).join('');
  return new RegExp(`^${form}$`).test(actual);
}

/** A home of its own with a project in it, and a `loki` on the PATH. */
function withScratch<T>(work: (root: string, run: (script: string) => { readonly output: string; readonly status: number | null }) => T): T {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'loki-readme-')));
  const project = path.join(root, 'home/alice/shop');
  const bin = path.join(root, 'bin');
  fs.mkdirSync(project, { recursive: true });
  fs.mkdirSync(bin);
  const quoted = [process.execPath, ...lokiProgram].map((word) => `'${word}'`).join(' ');
  fs.writeFileSync(path.join(bin, 'loki'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  const env = { PATH: `${bin}:${nodePath}:${testPath}`, HOME: path.join(root, 'home/alice'), LANG: 'C.UTF-8', GIT_CONFIG_NOSYSTEM: '1' };
  try {
    return work(root, (script) => {
      const { status, stdout } = spawnSync('/bin/sh', ['-c', `exec 2>&1; ${script}`], { cwd: project, env, encoding: 'utf8', input: '', timeout: 60_000 });
      return { output: stdout, status };
    });
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

test('what README.md types prints what README.md says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const typed = typedIn(text);
  assert.ok(typed.length >= 12, `only ${typed.length} commands were found`);
  withScratch((root, run) => {
    fs.writeFileSync(path.join(root, 'home/alice/shop/PRD.md'), '# Shop\n\nA basket.\n');
    let approval = '';
    let settings = '';
    for (const { command, expected } of typed) {
      if (/^log=/.test(command)) { settings = `${command}; `; continue; }
      const said = command.replace(/\bsha256sum\b/, run('command -v sha256sum').status === 0 ? 'sha256sum' : 'shasum -a 256');
      const { output } = run(settings + said.replace(/\bapr_[0-9A-Z]{26}\b/, approval));
      approval = [...output.matchAll(/\bapr_[0-9A-Z]{26}\b/g)].at(-1)?.[0] ?? approval;
      const actual = settled(output, root);
      assert.ok(matches(actual, expected.map((line) => settled(line, root))), `$ ${command}\nsaid on the page:\n${expected.join('\n')}\nprinted:\n${actual}`);
    }
  });
});

test('by hand and with the program, the hash of a line is the same', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [log = '', claimed = '', computed = ''] = typedIn(text).slice(typedIn(text).findIndex(({ command }) => command.startsWith('log='))).map(({ command }) => command);
  withScratch((_, run) => {
    assert.equal(run('loki init --yes').status, 0);
    const [a, b] = [claimed, computed.replace(/\bsha256sum\b/, run('command -v sha256sum').status === 0 ? 'sha256sum' : 'shasum -a 256')].map((command) => run(`${log}; ${command}`).output.trim().split(/\s/)[0]);
    assert.match(a ?? '', /^[0-9a-f]{64}$/);
    assert.equal(a, b);
  });
});

test('the library example of README.md prints what its comment says', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [example] = blocks(text, 'js');
  assert.ok(example !== undefined);
  const unbuilt = import.meta.url.endsWith('.ts');
  const entry = (door: string): string => pathToFileURL(path.join(packageRoot, unbuilt ? `lib/entry/${door}.ts` : `dist/lib/entry/${door}.js`)).href;
  const code = example.replace(/'loki-enterprise\/(\w+)'/g, (_, door: string) => `'${entry(door)}'`);
  const said = /\/\/ (.*DENY.*|DENY.*)$/m.exec(example)?.[1];
  withScratch((root, run) => {
    assert.equal(run('loki init --yes').status, 0);
    fs.writeFileSync(path.join(root, 'home/alice/shop/ask.mjs'), code);
    const flags = lokiProgram.slice(0, -1).map((word) => `'${word}'`).join(' ');
    assert.equal(run(`node ${flags} ask.mjs`).output.trim(), said);
  });
});

test('the sample output of README.md has the lines of the sample', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [sample = ''] = blocks(text, 'text');
  const script = fs.readFileSync(path.join(packageRoot, 'fixtures/sample/agent/script.json'), 'utf8');
  const policy = fs.readFileSync(path.join(packageRoot, 'fixtures/sample/project/.loki/policies.yaml'), 'utf8').split('\n');
  for (const [, target = ''] of sample.matchAll(/(?:allowed|DENIED) {2}(?:fs\.\w+|exec) (?!<checkout>)(\S.*)$/gm)) assert.ok(script.includes(target), `the script does nothing with ${target}`);
  for (const [, rule = '', line = ''] of sample.matchAll(/Rule "([a-z-]+)" \(\.loki\/policies\.yaml:(\d+):7\)/g)) assert.equal(policy[Number(line) - 1]?.trim(), `- name: ${rule}`);
  for (const [, reviewer = '', word = ''] of sample.matchAll(/reviewer (\w+): (.*)$/gm)) assert.ok(script.includes(word), `reviewer ${reviewer}`);
});

test('files, links, scripts, entry points and the version that README.md names exist', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
    if (/^https?:/.test(target)) continue;
    assert.ok(fs.existsSync(path.join(packageRoot, target)), `the link ${target} leads nowhere`);
  }
  const manifest: { version: string; scripts: Record<string, string>; exports: Record<string, unknown>; engines: { node: string } } = JSON.parse(fs.readFileSync(path.join(packageRoot, 'package.json'), 'utf8'));
  for (const [, script = ''] of text.matchAll(/\bnpm (?:run )?(start|test|build)\b/g)) assert.ok(manifest.scripts[script] !== undefined, script);
  for (const [, door = ''] of text.matchAll(/`(?:loki-enterprise)?\/([a-z]+)`/g)) assert.ok(manifest.exports[`./${door}`] !== undefined, door);
  for (const [, version] of text.matchAll(/loki-enterprise-(\d+\.\d+\.\d+)\.tgz/g)) assert.equal(version, manifest.version);
  assert.equal(manifest.engines.node, `>=${/Node\.js (\d+\.\d+) or newer/.exec(text)?.[1]}`);
});
