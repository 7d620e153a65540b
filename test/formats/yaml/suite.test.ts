/**
 * Cases from files. Our own are always there: `fixtures/yaml/valid/<name>.yaml` beside the value as `<name>.json`, and
 * `fixtures/yaml/invalid/<name>.yaml` beside the error a person sees as `<name>.txt`. A sample of the public YAML test suite
 * is read when it lies beside the checkout.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { parseYaml } from '../../../lib/formats/yaml/parse.ts';
import { printYaml } from '../../../lib/formats/yaml/print.ts';
import { fixture, packageRoot } from '../../support/root.ts';

function names(folder: string): string[] {
  return readdirSync(fixture('yaml', folder)).filter((name) => name.endsWith('.yaml')).map((name) => name.slice(0, -'.yaml'.length));
}

function text(folder: string, name: string): string {
  return readFileSync(fixture('yaml', folder, name), 'utf8');
}

for (const name of names('valid')) {
  test(`reads fixtures/yaml/valid/${name}.yaml`, () => {
    const value = parseYaml(text('valid', `${name}.yaml`));
    assert.deepStrictEqual(value, JSON.parse(text('valid', `${name}.json`)));
    assert.deepStrictEqual(parseYaml(printYaml(value)), value);
  });
}

for (const name of names('invalid')) {
  test(`refuses fixtures/yaml/invalid/${name}.yaml as a person sees it`, () => {
    assert.equal(`${report(text('invalid', `${name}.yaml`), `${name}.yaml`)}\n`, text('invalid', `${name}.txt`));
  });
}

function report(source: string, filename: string): string {
  try {
    return `accepted: ${JSON.stringify(parseYaml(source, { filename }))}`;
  } catch (error) {
    if (!(error instanceof LokiError)) throw error;
    const problems = error.problems.map((problem) => `${problem.file}:${problem.line}:${problem.column}: ${problem.message}\n${problem.excerpt}\n${problem.hint}`);
    return [error.message, ...problems].join('\n\n');
  }
}

interface Case {
  readonly id: string;
  readonly yaml: string;
  readonly json?: string;
  readonly fail?: boolean;
  readonly subset?: boolean;
}

test('the public suite sample: no wrong value, no invalid text accepted, all of the subset read', (t) => {
  const path = join(packageRoot, '..', 'shared', 'corpora', 'yaml-suite-sample.jsonl');
  if (!existsSync(path)) {
    t.diagnostic('The sample of the public suite is not here; only our own cases were tried');
    assert.ok(names('valid').length >= 10 && names('invalid').length >= 10);
    return;
  }
  const cases = readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Case);
  const tally = { read: 0, refused: 0 };
  for (const { id, yaml, json, fail, subset } of cases) {
    const result = read(yaml);
    tally['value' in result ? 'read' : 'refused'] += 1;
    if ('refused' in result) {
      assert.ok(subset !== true, `${id} is in the subset: ${result.refused}`);
      continue;
    }
    assert.ok(fail !== true, `${id} must be refused`);
    if (json !== undefined && json !== '') assert.deepStrictEqual(result.value, JSON.parse(json), id);
  }
  t.diagnostic(`${cases.length} cases: ${tally.read} read, ${tally.refused} refused`);
});

function read(yaml: string): { value: unknown } | { refused: string } {
  try {
    return { value: parseYaml(yaml) };
  } catch (error) {
    if (error instanceof LokiError && error.code === 'yaml.invalid') return { refused: error.message };
    throw error;
  }
}
