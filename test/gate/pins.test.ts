/** What an enrolment pins: the policy byte for byte, and of hook settings what makes agents ask. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createHost } from '../../lib/host/host.ts';
import { changedPins, namesChanged, pinsNow, type Pins } from '../../lib/gate/pins.ts';

const { disk } = createHost(() => '/');
const policy = '.loki/policies.yaml';

interface Desk { readonly pins: (name?: string) => Pins; readonly write: (path: string, text: string) => void; readonly remove: (path: string) => void; readonly project: string }

function desk(t: { after(undo: () => void): void }): Desk {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'loki pins ')));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  };
  write(policy, 'version: 1\n');
  return { project, write, pins: (name = policy) => pinsNow(disk, project, name), remove: (path) => rmSync(join(project, path)) };
}

test('a policy that is changed, gone, or was not there is told', (t) => {
  const { pins, write, remove } = desk(t);
  const enrolled = pins();
  assert.equal(changedPins(enrolled, pins()), undefined);
  write(policy, 'version: 1 \n');
  assert.equal(changedPins(enrolled, pins()), '.loki/policies.yaml differs from what was enrolled');
  remove(policy);
  assert.equal(changedPins(enrolled, pins()), '.loki/policies.yaml is missing');
  assert.equal(changedPins({}, enrolled), '.loki/policies.yaml was not there when the project was enrolled');
  assert.equal(changedPins({}, { toString: 'x' }), 'toString was not there when the project was enrolled');
  assert.deepEqual(namesChanged(enrolled, {}), [policy]);
});

test('hook settings that appear, change or vanish are told; what an agent writes beside them is not', (t) => {
  const { pins, write, remove } = desk(t);
  const bare = pins();
  write('.claude/settings.json', '{"permissions":{"allow":["Bash(ls)"]}}');
  assert.equal(changedPins(bare, pins()), undefined, 'permissions alone are none of our concern');
  write('.claude/settings.json', '{"hooks":{"PreToolUse":[]},"permissions":{"allow":[]}}');
  assert.equal(changedPins(bare, pins()), '.claude/settings.json was not there when the project was enrolled');
  const enrolled = pins();
  write('.claude/settings.json', '{"permissions":{"allow":["Bash(x)"]},"hooks":{"PreToolUse":[]}}');
  assert.equal(changedPins(enrolled, pins()), undefined);
  for (const [path, text, told] of [
    ['.claude/settings.json', '{"hooks":{"PreToolUse":[]},"disableAllHooks":true}', '.claude/settings.json differs from what was enrolled'],
    ['.claude/settings.json', '{"hooks":{"PreToolUse":[]},"env":{"LOKI_HOME":"/tmp/x"}}', '.claude/settings.json differs from what was enrolled'],
    ['.claude/settings.json', '{"hooks":{"PreToolUse":[]},"hooks":{}}', '.claude/settings.json differs from what was enrolled'],
    ['.claude/settings.json', '{"hooks":', '.claude/settings.json differs from what was enrolled'],
  ] as const) {
    write(path, text);
    assert.equal(changedPins(enrolled, pins()), told, text);
  }
  remove('.claude/settings.json');
  assert.equal(changedPins(enrolled, pins()), '.claude/settings.json is missing');
  for (const [path, text] of [
    ['.claude/settings.local.json', '{"disableAllHooks":true}'], ['.codex/hooks.json', '{}'], ['.codex/config.toml', ''], ['.gemini/settings.json', '{"hooksConfig":{"disabled":["loki"]}}'],
    ['.cursor/hooks.json', '{}'], ['.github/hooks/a.json', '{}'], ['.opencode/plugins/x.js', ''], ['opencode.json', '{"plugin":[]}'], ['opencode.jsonc', '{}'],
  ] as const) {
    write(path, text);
    assert.equal(changedPins(bare, pins()), `${path} was not there when the project was enrolled`);
    remove(path);
  }
});

test('a hook file that cannot be read differs from one that can; a folder too full is one thing', { skip: process.getuid?.() === 0 ? 'everything can be read as root' : false }, (t) => {
  const { pins, write, project } = desk(t);
  write('.cursor/hooks.json', '{}');
  const enrolled = pins();
  chmodSync(join(project, '.cursor/hooks.json'), 0);
  assert.equal(changedPins(enrolled, pins()), '.cursor/hooks.json differs from what was enrolled');
});

test('a folder with more hook files than anybody has is pinned as too full', (t) => {
  const { pins, write } = desk(t);
  for (let at = 0; at < 201; at += 1) write(`.github/hooks/${at}.json`, '{}');
  assert.equal(pins()['.github/hooks/'], 'too many files');
});
