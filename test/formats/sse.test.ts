import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sseComment, sseEvent, sseRetry } from '../../lib/formats/sse.ts';

test('an event has its name, its id and each line of its data, and ends with an empty line', () => {
  assert.equal(sseEvent({ event: 'run', id: '7', data: '{"a":1}' }), 'event: run\nid: 7\ndata: {"a":1}\n\n');
  assert.equal(sseEvent({ data: 'a\nb\r\nc\rd' }), 'data: a\ndata: b\ndata: c\ndata: d\n\n');
  assert.equal(sseEvent({ data: '' }), 'data: \n\n');
});

test('data cannot end an event early or begin a field', () => {
  assert.equal(sseEvent({ data: 'x\n\nevent: evil\nid: 9' }), 'data: x\ndata: \ndata: event: evil\ndata: id: 9\n\n');
});

test('a name, id or comment with a line break or NUL is refused', () => {
  for (const bad of ['a\nb', 'a\rb', 'a\0b']) {
    assert.throws(() => sseEvent({ id: bad, data: '' }), { code: 'internal', message: 'Cannot write a server-sent event: its id holds a line break or NUL' });
    assert.throws(() => sseEvent({ event: bad, data: '' }), { code: 'internal', message: /its name holds/ });
    assert.throws(() => sseComment(bad), { code: 'internal', message: /its comment holds/ });
  }
});

test('comments and retry times', () => {
  assert.equal(sseComment('still here'), ': still here\n\n');
  assert.equal(sseRetry(1999.6), 'retry: 2000\n\n');
  assert.equal(sseRetry(-1), 'retry: 0\n\n');
});
