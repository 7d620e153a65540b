import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError, errorMeanings } from '../../lib/errors.ts';
import { problemDocument } from '../../lib/formats/problem.ts';

test('an error on purpose is told in full, each mistake too', () => {
  const error = new LokiError('config.invalid', { attempted: 'read x', found: 'two mistakes', hint: 'Correct them', problems: [{ message: 'one' }, { message: 'two', hint: 'try 2' }] });
  assert.deepEqual(problemDocument(error, 'req_1'), {
    type: 'urn:loki:problem:config.invalid', title: 'Config invalid', status: 400, detail: 'Cannot read x: two mistakes', code: 'config.invalid', hint: 'Correct them',
    request_id: 'req_1', errors: [{ detail: 'one' }, { detail: 'two', hint: 'try 2' }],
  });
});

test('what failed inside is not told', () => {
  for (const error of [new TypeError('secret'), 'secret', null, new LokiError('store.corrupt', { attempted: 'read /secret', found: 'secret' })]) {
    const document = problemDocument(error, 'req_2');
    assert.equal(document.status, 500);
    assert.doesNotMatch(JSON.stringify(document), /secret/);
    assert.match(document.hint, /req_2/);
  }
});

test('every code has a status that HTTP knows and a title in words', () => {
  for (const [code, { status }] of Object.entries(errorMeanings)) {
    assert.ok(status >= 400 && status <= 599, code);
    const document = problemDocument(Object.assign(new LokiError('internal', { attempted: 'x', found: 'y' }), { code }), 'req_3');
    assert.match(document.title, /^[A-Z][a-z ]+$/, code);
  }
});

test('the status can be one that the table does not have', () => {
  assert.equal(problemDocument(new LokiError('request.large', { attempted: 'x', found: 'y' }), 'req_4', 431).status, 431);
});
