/** The web page as files: nothing inline, nothing from elsewhere, no markup out of text; and its words. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { webFiles } from '../../lib/server/web.ts';
import { packageRoot } from '../support/root.ts';

const folder = [join(packageRoot, 'lib', 'web'), join(packageRoot, 'dist', 'lib', 'web')].find((path) => existsSync(path)) ?? assert.fail('lib/web is not beside the tests');
const files: ReadonlyMap<string, string> = new Map(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const words = await import(pathToFileURL(join(folder, 'words.js')).href);

test('every file of the page is served, and nothing else', () => {
  assert.deepEqual(webFiles.map(({ name }) => name).sort(), [...files.keys()]);
  assert.equal(new Set(webFiles.map(({ path }) => path)).size, webFiles.length);
});

test('no file names an outside address', () => {
  for (const [name, text] of files) {
    const addresses = text.replaceAll('http://www.w3.org/2000/svg', '').match(/(?:[a-z]+:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi) ?? [];
    assert.deepEqual(addresses, [], name);
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /\b(?:https?:|wss?:|data:[a-z]+\/|blob:|javascript:)/i, name);
  }
});

test('the markup has nothing inline, so the strict policy holds', () => {
  for (const name of ['index.html', 'device.html', 'favicon.svg']) {
    const text = files.get(name) ?? '';
    assert.doesNotMatch(text, /<style|\sstyle\s*=|\son[a-z]+\s*=|<base|<iframe|<object|<embed|<form|http-equiv/i, name);
    for (const [script] of text.matchAll(/<script[^>]*>[\s\S]*?<\/script>/gi)) assert.match(script, /^<script type="module" src="\/[a-z]+\.js"><\/script>$/);
  }
  const paths = new Set(webFiles.map(({ path }) => path));
  for (const name of ['index.html', 'device.html']) for (const [, path = ''] of (files.get(name) ?? '').matchAll(/(?:src|href)="(\/[^"]*)"/g)) assert.ok(paths.has(path), path);
});

test('scripts never turn text into markup or code', () => {
  const banned = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|new Function|setTimeout\(\s*['"`]|setAttribute\(\s*['"]style|srcdoc|localStorage|sessionStorage|document\.cookie/;
  for (const [name, text] of files) if (name.endsWith('.js')) assert.doesNotMatch(text, banned, name);
});

test('scripts import each other and nothing else; the style sheet imports nothing', () => {
  for (const [name, text] of files) {
    if (name.endsWith('.css')) assert.doesNotMatch(text, /@import|url\(|expression\(/i, name);
    if (!name.endsWith('.js')) continue;
    for (const [, from = ''] of text.matchAll(/^(?:import|export)[^'"]*from ['"]([^'"]+)['"]/gm)) assert.ok(from.startsWith('./') && files.has(from.slice(2)), `${name} imports ${from}`);
    assert.doesNotMatch(text, /\bimport\(/, name);
  }
});

test('every outcome and verdict is in words, not in colour alone', () => {
  const event = (event_type: string, details: object): object => ({ event_type, phase: 'ACT', details });
  assert.deepEqual(words.outcomeOf(event('policy_decision', { decision: 'DENY' })), { words: 'denied', tone: 'bad' });
  assert.deepEqual(words.outcomeOf(event('policy_decision', { decision: 'REQUIRE_APPROVAL' })), { words: 'needs approval', tone: 'wait' });
  assert.deepEqual(words.outcomeOf(event('quality_gate', { passed: true })), { words: 'passed', tone: 'good' });
  assert.deepEqual(words.outcomeOf(event('council', { approved: false })), { words: 'rejected', tone: 'bad' });
  assert.deepEqual(words.outcomeOf(event('approval', { status: 'expired' })), { words: 'expired', tone: 'bad' });
  assert.equal(words.outcomeOf(event('log', { message: 'x' })), null);
  const verdict = (verdict: string, first_bad: object | null = null): { word: string; where: string; checked: string } => words.verdictWords({ verdict, first_bad, entries_checked: 1 });
  assert.deepEqual(['ok', 'tampered', 'incomplete', 'no_integrity', 'new'].map((one) => verdict(one).word), ['Valid', 'Tampered', 'Incomplete', 'Unprotected', 'Unknown']);
  assert.equal(verdict('tampered', { cause: 'edited', file: '/a/audit-2026-02-15.jsonl', line: 41, seq: 40 }).where, 'edited: audit-2026-02-15.jsonl, line 41, entry 40');
  assert.equal(verdict('incomplete', { cause: 'missing file', file: 'a.jsonl', line: null, seq: null }).where, 'missing file: a.jsonl');
  assert.equal(verdict('ok').checked, '1 entry checked');
});

test('a headline says what happened and, unless it was simply allowed, why', () => {
  const headline = (event_type: string, details: object): string => words.headline({ event_type, phase: 'ACT', details });
  assert.equal(headline('policy_decision', { action: 'fs.write /etc/x', decision: 'DENY', reason: 'outside the project' }), 'fs.write /etc/x · outside the project');
  assert.equal(headline('policy_decision', { action: 'exec ls', decision: 'ALLOW', reason: 'no rule' }), 'exec ls');
  assert.equal(headline('quality_gate', { name: 'tests', outcome: 'ended with exit code 1' }), 'tests · ended with exit code 1');
  assert.equal(headline('log', { message: '<img src=x onerror=alert(1)>' }), '<img src=x onerror=alert(1)>');
  assert.equal(headline('log', { message: 'developer answered', text: 'Wrote a\n\n  and b' }), 'developer answered · Wrote a and b');
  const long = headline('log', { message: 'developer answered', text: 'x '.repeat(2000) });
  assert.ok(long.length < 200 && long.endsWith('…'), long);
  assert.equal(headline('log', { message: 'developer answered', text: '' }), 'developer answered');
  assert.equal(headline('something_new', {}), 'ACT');
  assert.equal(headline('error', { message: { toString: 'no' } }), 'ACT');
  assert.equal(words.aboutEntry({ details: { action: { kind: 'exec', command: 'rm -rf /' }, reason: 'no' } }), 'exec rm -rf / · no');
  assert.equal(words.aboutEntry({ resource: 'run:1', details: { path: '/api' } }), '/api');
  assert.equal(words.aboutEntry({}), '');
});

test('times and amounts as people read them', () => {
  assert.deepEqual([900, 12_300, 75_000, 3_700_000, Number.NaN].map(words.duration), ['0.9 s', '12 s', '1 min 15 s', '1 h 1 min', '–']);
  assert.deepEqual([0, 7_350, 65_000, 3_723_000].map(words.offset), ['+00:00.0', '+00:07.3', '+01:05.0', '+1:02:03']);
  const now = Date.parse('2026-02-15T12:00:00.000Z');
  assert.deepEqual(['2026-02-15T11:59:58.000Z', '2026-02-15T11:59:20.000Z', '2026-02-15T11:30:00.000Z', '2026-02-14T13:00:00.000Z', '2026-02-10T12:00:00.000Z', 'x'].map((time) => words.ago(time, now)),
    ['just now', '40 s ago', '30 min ago', '23 h ago', '2026-02-10', '']);
  assert.equal(words.clockTime('2026-02-15T11:59:58.123Z', now), '11:59:58');
  assert.equal(words.clockTime('2026-02-14T11:59:58.123Z', now), '2026-02-14 11:59:58');
  assert.equal(words.clockTime(null, now), '–');
  assert.equal(words.runTitle({ id: 'run_1', config: { prd: './docs/prd.md' } }), 'docs / prd.md');
  assert.equal(words.runTitle({ id: 'run_1', config: { prd: { path: '/home/a/shop/PRD.md' } } }), 'shop / PRD.md');
  assert.equal(words.runTitle({ id: 'run_1', config: { prd: { path: 'prd.md' } } }), 'prd.md');
  assert.equal(words.runTitle({ id: 'run_01M7ZSABQA38P3VXY1HGY3Y5NR', config: {} }), 'run_…Y3Y5NR');
});

test('an address of a run that cannot exist is told apart from the list', () => {
  assert.deepEqual(['', '#/', '#/runs', '#/runs/', '#/other'].map((hash) => words.pageOf(hash).name), ['runs', 'runs', 'runs', 'runs', 'runs']);
  assert.deepEqual(words.pageOf('#/record'), { name: 'record', id: null });
  assert.deepEqual(words.pageOf('#/runs/run_01M7ZSABQA38P3VXY1HGY3Y5NR'), { name: 'run', id: 'run_01M7ZSABQA38P3VXY1HGY3Y5NR' });
  assert.deepEqual(words.pageOf('#/runs/run_1'), { name: 'missing', id: 'run_1' });
});

test('what the control plane refuses carries its status, so that a run that is not there can be told from one that cannot be asked for', async (t) => {
  const api = await import(pathToFileURL(join(folder, 'api.js')).href);
  const answering = t.mock.method(globalThis, 'fetch', () => Promise.resolve(new Response('{"detail":"There is no run","hint":"List them","request_id":"req_1"}', { status: 404 })));
  await assert.rejects(api.getJson('/api/v2/runs/run_1'), { status: 404, message: 'There is no run. List them (req_1)' });
  answering.mock.mockImplementation(() => Promise.reject(new TypeError('fetch failed')));
  await assert.rejects(api.getJson('/api/v2/runs/run_1'), (error: Error) => !('status' in error) && error.message.startsWith('The control plane does not answer'));
});
