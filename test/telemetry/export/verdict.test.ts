/** What answers mean, and what is said of them, whatever a receiver puts into them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExportAnswer } from '../../../lib/base/telemetry-ports.ts';
import type { Signal } from '../../../lib/telemetry/batch.ts';
import { judge, said, secretsOf, type Verdict } from '../../../lib/telemetry/export/verdict.ts';
import { linear } from '../../support/growth.ts';
import { answered, start } from './support.ts';

const verdict = (answer: ExportAnswer, signal: Signal = 'traces', items = 10, secrets: readonly string[] = []): Verdict => judge(answer, signal, items, secrets, start);

test('every status from 100 to 599 is tried again only where the specification says so', () => {
  for (let status = 200; status < 600; status += 1) {
    const { kind } = verdict(answered(status));
    assert.equal(kind, status < 300 ? 'taken' : [429, 502, 503, 504].includes(status) ? 'again' : status === 413 ? 'too_large' : 'refused', String(status));
  }
  assert.equal(verdict({ kind: 'unreachable', code: 'ECONNRESET', message: 'x' }).kind, 'again');
  assert.equal(verdict({ kind: 'overrun', status: 200, message: 'x' }).kind, 'refused');
});

describe('partial success', () => {
  const rows: readonly (readonly [what: string, signal: Signal, partial: unknown, rejected: number, warning: string | undefined])[] = [
    ['none', 'traces', undefined, 0, undefined], ['an empty one', 'traces', {}, 0, undefined], ['null', 'traces', null, 0, undefined], ['a list', 'traces', [], 0, undefined],
    ['a count as a string', 'traces', { rejectedSpans: '3' }, 3, 'it rejected 3 of 10'], ['a count as a number', 'traces', { rejectedSpans: 3, errorMessage: 'old' }, 3, 'it rejected 3 of 10: old'],
    ['points', 'metrics', { rejectedDataPoints: '1' }, 1, 'it rejected 1 of 10'], ['records', 'logs', { rejectedLogRecords: '1' }, 1, 'it rejected 1 of 10'],
    ['those of another signal', 'logs', { rejectedSpans: '1' }, 0, undefined], ['more than were sent', 'traces', { rejectedSpans: '99999999999' }, 10, 'it rejected 10 of 10'],
    ['fewer than none', 'traces', { rejectedSpans: '-1' }, 0, undefined], ['half a one', 'traces', { rejectedSpans: 0.5 }, 0, undefined], ['no number', 'traces', { rejectedSpans: {} }, 0, undefined],
    ['a word alone is a warning', 'traces', { rejectedSpans: '0', errorMessage: 'slow down' }, 0, 'slow down'], ['a word that is none', 'traces', { errorMessage: 7 }, 0, undefined],
  ];
  for (const [what, signal, partialSuccess, rejected, warning] of rows) {
    test(`${what}: ${rejected} rejected`, () => {
      const found = verdict(answered(200, JSON.stringify({ partialSuccess })), signal);
      assert.deepEqual(found, { kind: 'taken', words: 'it answered 200', rejected, ...(warning === undefined ? {} : { warning }) });
    });
  }
});

describe('an answer that is no OTLP', () => {
  const rows: readonly (readonly [what: string, answer: ExportAnswer, warning: RegExp | undefined])[] = [
    ['nothing', answered(200, ''), undefined], ['blanks', answered(200, ' \r\n'), undefined], ['204', answered(204, ''), undefined], ['a page', answered(200, '<!DOCTYPE html><p>Log in'), /a web page; check that the endpoint is an OTLP receiver/],
    ['a page by its type', answered(200, 'Log in', { 'content-type': 'text/html; charset=utf-8' }), /a web page/], ['text', answered(200, 'OK'), /what is no JSON/], ['a list', answered(200, '[]'), /what is no JSON/],
    ['JSON that nests without end', answered(200, '['.repeat(100_000)), /what is no JSON/],
    ['a megabyte that would be parsed for long', answered(200, `{"partialSuccess":{"rejectedSpans":"1"},"a":[${'{},'.repeat(1 << 19)}{}]}`), /more than is read/],
  ];
  for (const [what, answer, warning] of rows) {
    test(`${what} is taken${warning === undefined ? '' : ', with a warning'}`, () => {
      const found = verdict(answer);
      assert.equal(found.kind, 'taken');
      if (warning === undefined) assert.equal('warning' in found, false);
      else assert.match((found.kind === 'taken' && found.warning) || '', warning);
    });
  }
});

describe('words', () => {
  test('hold the message of a Status, a line of text, or that there is a page, and never much of it', () => {
    const words = (body: string, type = 'application/json'): string => { const found = verdict(answered(500, body, { 'content-type': type })); return found.words; };
    assert.equal(words('{"code":13,"message":"disk full"}'), 'it answered 500; it failed; it says: disk full');
    assert.equal(words('not here', 'text/plain'), 'it answered 500; it failed; it says: not here');
    assert.equal(words('<html><body>secret page', 'text/html'), 'it answered 500; it failed; it says: a web page');
    assert.equal(words(''), 'it answered 500; it failed');
    assert.equal(words('{"message":{}}'), 'it answered 500; it failed');
    assert.equal(words('x'.repeat(4_000_000), 'text/plain').length, 300);
  });

  test('are printable, on one line, whatever is in them', () => {
    assert.equal(said('a\u001b[2J\u0007b\r\nc\u202ed\u2028e\u0000f\u00adg \u{e0001}h', []), 'a [2J b c d e f g h');
  });

  const endpoint = { url: 'https://collector.example/v1/traces?api_key=zquery-secret&x=1', headers: { 'authorization': 'Basic enVzZXI6enBhc3N3b3Jk', 'x-api-key': 'zkey-123', 'x-tiny': 'ab' } };
  const secrets = secretsOf(endpoint);

  test('hold no value of a header, whole or by its parts, and nothing of the query', () => {
    for (const echo of ['Basic enVzZXI6enBhc3N3b3Jk', 'enVzZXI6enBhc3N3b3Jk', 'zkey-123', 'api_key=zquery-secret&x=1', 'zquery-secret']) {
      const found = verdict(answered(401, JSON.stringify({ message: `who is ${echo}${echo}?` })), 'traces', 1, secrets);
      assert.match(found.words, /who is \[redacted\]/);
      assert.doesNotMatch(found.words, /zquery|enVz|zkey/);
    }
    assert.equal(said('ab', secrets), 'ab', 'what is that short says nothing');
  });

  test('hold nothing of credentials as they read either', () => {
    const known = secretsOf({ url: 'https://collector.example/?key=zqu%2Bery%20secret', headers: { authorization: `Basic ${Buffer.from('admin:zpass/word').toString('base64')}` } });
    for (const echo of ['zqu+ery secret', 'admin:zpass/word', 'zpass/word']) assert.equal(said(`no: ${echo}.`, known), 'no: [redacted].', echo);
  });

  test('hold no part of a secret where a long text was cut', () => {
    for (let pad = 4080; pad < 4100; pad += 1) {
      const echo = `${'zkey-123'.repeat(2)}${' '.repeat(pad - 16)}enVzZXI6enBhc3N3b3Jk and more`;
      assert.doesNotMatch(said(echo, secrets), /enVz/);
    }
  });

  test('cost what their length costs', () => {
    linear((size) => { said('zkey-12 '.repeat(size), secrets); verdict(answered(500, ' '.repeat(size * 8), { 'content-type': 'text/plain' })); }, 100_000);
  });
});
