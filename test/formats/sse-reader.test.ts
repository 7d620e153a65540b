import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents, type ReadEvent } from '../../lib/formats/sse-reader.ts';
import { sseComment, sseEvent, sseRetry } from '../../lib/formats/sse.ts';

async function* lines(text: string): AsyncGenerator<string> {
  yield* text.split('\n');
}

async function read(text: string, lastId?: string): Promise<readonly ReadEvent[]> {
  const events: ReadEvent[] = [];
  for await (const event of readEvents(lines(text), lastId)) events.push(event);
  return events;
}

test('what is written as events is read back, and what is no event is left out', async () => {
  const text = [sseRetry(2000), sseEvent({ id: '7', data: 'one\ntwo' }), sseComment('still here'), sseEvent({ event: 'run', data: '{"a": 1}' })].join('');
  assert.deepEqual(await read(text), [{ event: 'message', data: 'one\ntwo', id: '7' }, { event: 'run', data: '{"a": 1}', id: '7' }]);
});

test('fields come as the specification says: one space after the colon goes, unknown fields and ids with NUL do not count, what breaks off is no event', async () => {
  assert.deepEqual(await read('data:a\ndata:  b\nother: x\ndata\nid: 3\nid: 4\0\n\nevent: gone\n\ndata: c\n\ndata: broken off', '1'), [
    { event: 'message', data: 'a\n b\n', id: '3' }, { event: 'message', data: 'c', id: '3' },
  ]);
});

test('an event without end is refused before it fills the memory', async () => {
  async function* endless(): AsyncGenerator<string> {
    const line = `data: ${'x'.repeat(1024 * 1024)}`;
    for (;;) yield line;
  }
  await assert.rejects(readEvents(endless()).next(), { code: 'request.large' });
});
