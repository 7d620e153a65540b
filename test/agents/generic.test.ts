import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { parseGenericAction, renderGenericVerdict } from '../../lib/agents/generic.ts';
import { linear } from '../support/growth.ts';

function refusal(text: string): readonly string[] {
  try {
    parseGenericAction(text);
  } catch (error) {
    assert.ok(error instanceof LokiError);
    assert.equal(error.code, 'action.invalid');
    assert.ok(error.message.startsWith('Cannot read the action: '));
    return error.problems.map(({ message }) => message);
  }
  return assert.fail(`accepted: ${text.slice(0, 200)}`);
}

const accepted: readonly (readonly [string, object, object])[] = [
  ['a command', { kind: 'exec', tool: 'bash', command: 'ls -l', cwd: '/p', session_id: 's-1' }, { kind: 'exec', tool: 'bash', command: 'ls -l', cwd: '/p', session_id: 's-1' }],
  ['a write with content', { phase: 'pre', kind: 'fs.write', file_path: 'a b.txt', content: '' }, { kind: 'fs.write', file_path: 'a b.txt', content: '' }],
  ['a call of an MCP tool', { kind: 'mcp', mcp_server: 'files', mcp_tool: 'read' }, { kind: 'mcp', mcp_server: 'files', mcp_tool: 'read' }],
  ['something else', { kind: 'other', tool: 'think' }, { kind: 'other', tool: 'think' }],
  ['content with control characters and astral letters', { kind: 'fs.write', file_path: '/x', content: '\u0000\u001b\u{1f600}' }, { kind: 'fs.write', file_path: '/x', content: '\u0000\u001b\u{1f600}' }],
];

for (const [what, given, action] of accepted) {
  test(`parseGenericAction() accepts ${what}`, () => {
    assert.deepEqual(parseGenericAction(JSON.stringify(given)), { phase: 'pre', action });
  });
}

test('parseGenericAction() reads what became of an action', () => {
  const event = parseGenericAction('{"phase":"post","kind":"exec","command":"ls","ref":41,"outcome":{"ok":false,"exit":-1,"bytes":0}}');
  assert.deepEqual(event, { phase: 'post', action: { kind: 'exec', command: 'ls' }, ref: 41, outcome: { ok: false, exit: -1, bytes: 0 } });
});

test('parseGenericAction() reads an outcome without reference, exit code and size', () => {
  const event = parseGenericAction('{"phase":"post","kind":"net","url":"https://x","outcome":{"ok":true}}');
  assert.deepEqual(event, { phase: 'post', action: { kind: 'net', url: 'https://x' }, outcome: { ok: true } });
});

const refused: readonly (readonly [string, string, readonly string[]])[] = [
  ['nothing', '', ['there is nothing in it']],
  ['white space', ' \n\t ', ['there is nothing in it']],
  ['half an object', '{"kind":"other"', ['it is not well-formed JSON']],
  ['two objects', '{"kind":"other"}{"kind":"other"}', ['it is not well-formed JSON']],
  ['a comment', '{"kind":"other"} // yes', ['it is not well-formed JSON']],
  ['a list', '[{"kind":"other"}]', ['the action is a JSON object, and this is a list']],
  ['null', 'null', ['the action is a JSON object, and this is null']],
  ['a text', '"other"', ['the action is a JSON object, and this is a text']],
  ['a member that is there twice', '{"kind":"exec","command":"ls","command":"rm -rf /"}', ['a member is there twice']],
  ['a member that is there twice, once in escapes', '{"kind":"exec","command":"ls","\\u0063ommand":"rm"}', ['a member is there twice']],
  ['an inner member that is there twice', '{"phase":"post","kind":"other","outcome":{"ok":true,"ok":false}}', ['a member is there twice']],
  ['half a surrogate pair', '{"kind":"fs.read","file_path":"/x\\ud800"}', ['a text in it holds half a surrogate pair']],
  ['nesting beyond the bound', `{"kind":"other","outcome":${'['.repeat(64)}${']'.repeat(64)}}`, ['it nests deeper than 64 levels']],
  ['no kind', '{"command":"ls"}', ['"kind" is missing; it is one of exec, fs.read, fs.write, fs.delete, net, mcp, agent, other']],
  ['a kind that is not known', '{"kind":"fs.wirte","file_path":"x"}', ['"kind" is unknown (did you mean "fs.write"?); it is one of exec, fs.read, fs.write, fs.delete, net, mcp, agent, other']],
  ['a kind that is only the runner\'s', '{"kind":"prompt"}', ['"kind" is unknown; it is one of exec, fs.read, fs.write, fs.delete, net, mcp, agent, other']],
  ['a kind that is a list', '{"kind":["exec"]}', ['"kind" is unknown; it is one of exec, fs.read, fs.write, fs.delete, net, mcp, agent, other']],
  ['a missing field', '{"kind":"exec"}', ['"command" is missing: an action of kind exec carries it']],
  ['both fields missing', '{"kind":"mcp"}', ['"mcp_server" is missing: an action of kind mcp carries it', '"mcp_tool" is missing: an action of kind mcp carries it']],
  ['a field of another kind', '{"kind":"fs.read","file_path":"x","command":"rm"}', ['"command" does not belong to an action of kind fs.read']],
  ['a field on an action that carries none', '{"kind":"other","file_path":"/etc/passwd"}', ['"file_path" does not belong to an action of kind other']],
  ['an unknown member', '{"kind":"other","comand":"ls"}', ['the action has no member "comand" (did you mean "command"?)']],
  ['a member named like the prototype', '{"kind":"other","__proto__":{"command":"ls"}}', ['the action has no member "__proto__"']],
  ['a number for a text', '{"kind":"exec","command":1}', ['"command" is a text, and this is a number']],
  ['null for a text', '{"kind":"exec","command":"ls","cwd":null}', ['"cwd" is a text, and this is null']],
  ['an empty path', '{"kind":"fs.read","file_path":""}', ['"file_path" is empty']],
  ['a NUL in a path', '{"kind":"fs.read","file_path":"/x\\u0000/y"}', ['"file_path" holds a NUL character']],
  ['a relative working directory', '{"kind":"other","cwd":"x"}', ['"cwd" is an absolute path']],
  ['a path that is too long', JSON.stringify({ kind: 'fs.read', file_path: 'x'.repeat(4097) }), ['"file_path" has at most 4096 characters, and this has 4097']],
  ['a phase that is not known', '{"phase":"Post","kind":"other"}', ['"phase" is "pre" or "post"']],
  ['an outcome before the action', '{"kind":"other","outcome":{"ok":true}}', ['"outcome" belongs to phase "post"']],
  ['a post without outcome', '{"phase":"post","kind":"other"}', ['"outcome" is missing: a post carries it']],
  ['an outcome that is a list', '{"phase":"post","kind":"other","outcome":[]}', ['"outcome" is an object']],
  ['an outcome of wrong types', '{"phase":"post","kind":"other","ref":-1,"outcome":{"ok":"yes","exit":1.5,"bytes":-1,"more":1}}', [
    '"ref" is the audit_seq of the decision, a whole number', '"outcome" has no member "more"', '"outcome.ok" is true or false',
    '"outcome.exit" is a whole number', '"outcome.bytes" is a whole number',
  ]],
  ['several mistakes, all named', '{"kind":"exec","tool":"","url":"x","what":1}', [
    'the action has no member "what"', '"tool" is empty', '"command" is missing: an action of kind exec carries it', '"url" does not belong to an action of kind exec',
  ]],
];

for (const [what, text, messages] of refused) {
  test(`parseGenericAction() refuses ${what}`, () => assert.deepEqual(refusal(text), messages));
}

test('parseGenericAction() tells the place of a mistake and never the text around it', () => {
  const secret = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
  assert.throws(() => parseGenericAction(`{"kind":"exec",\n "command":"${secret}" oops}`), (error: unknown) => {
    assert.ok(error instanceof LokiError);
    assert.match(error.message, /^Cannot read the action: it is not well-formed JSON \(line 2, column \d+\)$/);
    assert.ok(!JSON.stringify({ ...error, message: error.message }).includes('ghp_'));
    return true;
  });
});

test('parseGenericAction() names at most ten unknown members, each cut', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`x${at}`.padEnd(500, 'y'), 1]));
  const messages = refusal(JSON.stringify({ kind: 'other', ...many }));
  assert.equal(messages.length, 11);
  assert.equal(messages[10], 'and 4990 more unknown members');
  assert.ok(messages.every((message) => message.length < 120));
});

test('parseGenericAction() reads content of many megabytes full of quotes and backslashes in time that grows with it', () => {
  linear((size) => {
    const content = '\\"'.repeat(size);
    const event = parseGenericAction(JSON.stringify({ kind: 'fs.write', file_path: '/x', content }));
    assert.equal(event.action.content?.length, content.length);
  }, 250_000);
});

test('parseGenericAction() survives ten million brackets', () => {
  assert.deepEqual(refusal('['.repeat(10_000_000)), ['it nests deeper than 64 levels']);
});

test('renderGenericVerdict() writes the members in order and leaves out what is not known', () => {
  const { line, exit } = renderGenericVerdict({ audit_seq: 7, reason: 'fine', allowed: true, decision: 'ALLOW' });
  assert.equal(line, '{"decision":"ALLOW","allowed":true,"reason":"fine","audit_seq":7}');
  assert.equal(exit, 0);
});

test('renderGenericVerdict() gives each decision its exit code, and 0 to a clear yes only', () => {
  const verdict = { reason: 'r', rule: 'x', approval_id: 'apr_1', audit_seq: null };
  assert.equal(renderGenericVerdict({ ...verdict, decision: 'DENY', allowed: false }).exit, 3);
  assert.equal(renderGenericVerdict({ ...verdict, decision: 'REQUIRE_APPROVAL', allowed: false }).exit, 5);
  assert.equal(renderGenericVerdict({ ...verdict, decision: 'ALLOW', allowed: false }).exit, 3);
  assert.equal(renderGenericVerdict({ ...verdict, decision: 'DENY', allowed: true }).exit, 3);
});
