import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answer, readMessage, type AgentMessage } from '../../lib/runs/answer.ts';

test('each kind of message is read, with what is left out filled in', () => {
  assert.deepEqual(readMessage('{"type":"usage","input_tokens":5}'), { type: 'usage', input_tokens: 5, output_tokens: 0 });
  assert.deepEqual(readMessage('{"type":"usage","input_tokens":5,"output_tokens":1,"model":"m"}'), { type: 'usage', input_tokens: 5, output_tokens: 1, model: 'm' });
  assert.deepEqual(readMessage('{"type":"task","title":" a\\n b "}'), { type: 'task', title: 'a b', description: '', priority: 'medium' });
  assert.deepEqual(readMessage('{"type":"verdict","review":"r","verdict":"approve","reason":"ok"}'), { type: 'verdict', review: 'r', verdict: 'approve', reason: 'ok' });
  assert.deepEqual(readMessage('{"type":"log","message":"m","level":"shout"}'), { type: 'log', level: 'info', message: 'm' });
  assert.deepEqual(readMessage('{"type":"action","kind":"exec","target":"ls","decision":"ALLOW","ok":true,"audit_seq":3}'), { type: 'action', kind: 'exec', target: 'ls', decision: 'ALLOW', reason: '', ok: true, audit_seq: 3 });
});

const texts: readonly string[] = [
  'plain', '{', '{}', '[1]', '{"type":"usage"', '{"type":"other"}', ' {"type":"log","message":"indented"}', '{"type":["usage"]}',
  '{"type":"usage","input_tokens":-1}', '{"type":"usage","input_tokens":1.5}', '{"type":"usage","input_tokens":"5"}', '{"type":"usage","input_tokens":1e300}',
  '{"type":"task","title":""}', '{"type":"task","title":5}', '{"type":"verdict","verdict":"APPROVE"}', '{"type":"verdict","verdict":true}', '{"type":"log"}',
];
for (const line of texts) {
  test(`${line} is text`, () => assert.equal(readMessage(line), undefined));
}

test('members with strange names change nothing', () => {
  assert.deepEqual(readMessage('{"type":"log","message":"m","__proto__":{"level":"error"},"constructor":1}'), { type: 'log', level: 'info', message: 'm' });
});

test('long members are cut', () => {
  const message = readMessage(JSON.stringify({ type: 'log', message: 'x'.repeat(60_000) }));
  assert.equal(message?.type === 'log' ? message.message.length : 0, 2001);
});

test('a title is one line of a title\'s length', () => {
  const message = readMessage(JSON.stringify({ type: 'task', title: 'y\n'.repeat(900) }));
  assert.equal(message?.type === 'task' ? message.title.length : 0, 300);
});

test('a line nested without end is text and costs no stack', () => {
  assert.equal(readMessage(`{"type":${'['.repeat(60_000)}`), undefined);
});

test('messages and text are bounded and counted, usage is not dropped', () => {
  const messages: AgentMessage[] = [];
  const answer = new Answer((message) => messages.push(message));
  for (let at = 0; at < 700; at += 1) answer.accept('{"type":"log","message":"m"}');
  for (let at = 0; at < 700; at += 1) answer.accept('{"type":"usage","input_tokens":1,"output_tokens":0}');
  for (let at = 0; at < 300; at += 1) answer.accept('t'.repeat(1000));
  assert.equal(messages.filter(({ type }) => type === 'log').length, 500);
  assert.equal(messages.filter(({ type }) => type === 'usage').length, 700);
  assert.equal(answer.droppedMessages, 200);
  assert.equal(answer.text.length + 1, 261 * 1001);
  assert.equal(answer.droppedText, 39 * 1001);
  assert.equal(answer.lines, 1700);
});
