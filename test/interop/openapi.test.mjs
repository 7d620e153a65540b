// The OpenAPI document of a running control plane, held against the schema of the specification by a validator that is not ours.
// It comes with `npm ci` in test/interop; where it is not installed the tests are skipped, and say so.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { Validator } = await import('@seriousme/openapi-schema-validator').catch(() => ({}));
const skip = Validator === undefined && 'SKIPPED: @seriousme/openapi-schema-validator is not installed; run npm ci in test/interop';
if (skip) console.error(skip);
const timeout = 60_000;

/** The document, as a client gets it. */
async function served(t) {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'loki-openapi-')));
  t.after(() => rmSync(work, { recursive: true, force: true, maxRetries: 3 }));
  const home = join(work, 'home');
  mkdirSync(home);
  const child = spawn(process.execPath, [join(root, 'dist/cli/loki.cjs'), 'dashboard', '--port', '0', '--json'], { cwd: work, env: { PATH: process.env.PATH, HOME: home, LOKI_HOME: join(work, 'loki'), NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'inherit'], timeout });
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  const [line] = await once(child.stdout, 'data');
  const answer = await fetch(`${JSON.parse(String(line)).url}/openapi.json`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('etag') ?? '', /^"/);
  return answer.json();
}

test('the document is one of OpenAPI 3.1, with every reference resolved', { skip, timeout }, async (t) => {
  const document = await served(t);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 1)?.slice(0, 2000));
  assert.equal(validator.version, '3.1');
  // Examples may speak of references; what is left of them after this is none that a client could follow.
  assert.doesNotMatch(JSON.stringify(validator.resolveRefs()), /"\$ref":"#/);
});

test('a document that is spoiled is not', { skip, timeout }, async (t) => {
  const document = await served(t);
  for (const spoil of [(it) => { delete it.info; }, (it) => { it.paths['/health'].get.responses = {}; it.paths['/health'].get.parameters = [{ name: 'x' }]; }, (it) => { it.openapi = '3.1'; }]) {
    const copy = structuredClone(document);
    spoil(copy);
    assert.equal((await new Validator().validate(copy)).valid, false);
  }
});
