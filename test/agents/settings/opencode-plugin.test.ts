/** OpenCode's plugin, loaded by node as OpenCode loads it, with a program in loki's place that answers as it is told. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import { opencodePlugin } from '../../../lib/agents/settings/opencode-plugin.ts';

type Output = { title?: string; output?: string; metadata?: Record<string, unknown>; content?: unknown[]; structuredContent?: object };
interface Hooks {
  readonly 'tool.execute.before': (input: object, output: { args: object }) => Promise<void>;
  readonly 'tool.execute.after': (input: object, output: Output) => Promise<void>;
  readonly 'chat.message': (input: object, output: { parts: readonly object[] }) => Promise<void>;
  readonly event: (input: { readonly event: { readonly type: string; readonly properties?: object } }) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const folder = mkdtempSync(join(tmpdir(), 'loki plugin '));
const [answerFile, toldFile] = [join(folder, 'answer.sh'), join(folder, 'told')];
let hooks: Hooks;

/** What the program in loki's place does next. */
const answers = (script: string): void => writeFileSync(answerFile, script);
const says = (answer: object): void => answers(`printf '%s' '${JSON.stringify(answer)}'`);
const told = (): Record<string, unknown> => JSON.parse(readFileSync(toldFile, 'utf8'));
const load = async (text: string, name: string): Promise<Hooks> => {
  writeFileSync(join(folder, name), text);
  const { Loki }: { Loki(given: object): Promise<Hooks> } = await import(pathToFileURL(join(folder, name)).href);
  return Loki({ directory: '/the/project' });
};
const pluginText = (): string => opencodePlugin({ program: ['/bin/sh', '-c', `cat > '${toldFile}'; env > '${toldFile}.env'; . '${answerFile}'`], env: { HOME: '/h', PATH: '/usr/bin:/bin' }, project: '/p' });

before(async () => { hooks = await load(pluginText(), 'loki.mjs'); });
after(() => rmSync(folder, { recursive: true }));

const call = { tool: 'bash', sessionID: 'ses_1', callID: 'call_1' };
const asked = (): Promise<void> => hooks['tool.execute.before'](call, { args: { command: 'ls' } });

test('a tool runs when the answer is a yes, and loki is told what it would do', async () => {
  says({ allow: true });
  await asked();
  assert.deepEqual(told(), { event: 'tool.execute.before', ...call, args: { command: 'ls' }, cwd: '/the/project' });
  assert.doesNotMatch(readFileSync(`${toldFile}.env`, 'utf8'), /^(?:USER|NODE|TERM)/m);
});

test('a no is thrown with its reason, whatever the exit code', async () => {
  says({ allow: false, reason: 'rule no-prod' });
  await assert.rejects(asked(), { message: 'rule no-prod' });
  answers('echo \'{"allow":false,"reason":"because"}\'; exit 2');
  await assert.rejects(asked(), { message: 'because' });
  answers('echo "loki: it cannot be read" >&2; exit 2');
  await assert.rejects(asked(), { message: 'loki: it cannot be read' });
});

test('everything else is a no', async () => {
  for (const script of ['', 'exit 1', 'echo yes', 'echo \'{"allow":"true"}\'', 'echo \'{"allow":1}\'', 'echo \'{"allow":true}\'; exit 1', 'printf \'{"allow":tr\'', 'echo log; echo \'{"allow":true}\'', 'kill -9 $$', 'echo null', 'echo \'[]\'', 'echo \'{"allow":false}\'']) {
    answers(script);
    await assert.rejects(asked(), /loki: this call is not allowed \(policy hook: /, script);
  }
  const lost = await load(opencodePlugin({ program: ['/nowhere/node'], env: {} }), 'lost.mjs');
  await assert.rejects(lost['tool.execute.before'](call, { args: {} }), /not allowed \(policy hook: .*ENOENT/);
  const round: { self?: object } = {};
  round.self = round;
  says({ allow: true });
  await assert.rejects(hooks['tool.execute.before'](call, { args: round }), /not allowed/);
});

test('a program that hangs is ended, and that is a no', async () => {
  const text = pluginText().replace(/"tool\.execute\.before": \d+/, '"tool.execute.before": 0.2');
  const slow = await load(text, 'slow.mjs');
  answers('sleep 20');
  await assert.rejects(slow['tool.execute.before'](call, { args: {} }), /no answer within 0\.2 seconds/);
});

test('what a tool gave is told; an answer may replace it, and a no keeps it from the model', async () => {
  const given = (): Output => ({ title: 't', output: 'secret', metadata: { output: 'secret', exit: 0 } });
  says({ allow: true });
  const untouched = given();
  await hooks['tool.execute.after']({ ...call, args: { command: 'ls' } }, untouched);
  assert.deepEqual(untouched, given());
  assert.deepEqual(told(), { event: 'tool.execute.after', ...call, args: { command: 'ls' }, output: given(), cwd: '/the/project' });
  says({ allow: true, output: { title: 't', output: '[gone]', metadata: { output: '[gone]', exit: 0 } } });
  const replaced = given();
  await hooks['tool.execute.after'](call, replaced);
  assert.deepEqual(replaced, { title: 't', output: '[gone]', metadata: { output: '[gone]', exit: 0 } });
  const part = { type: 'text', text: 'secret' };
  const content: Output = { content: [part] };
  says({ allow: true, output: { content: [{ type: 'text', text: '[gone]' }] } });
  await hooks['tool.execute.after'](call, content);
  assert.deepEqual(told()['output'], { content: [{ type: 'text', text: 'secret' }] });
  // In the very objects that OpenCode holds.
  assert.equal(part.text, '[gone]');
  for (const script of ['echo \'{"allow":false,"reason":"hidden"}\'', 'exit 1']) {
    answers(script);
    const hidden: Output[] = [{ ...given(), metadata: { output: 'secret', display: { text: ['secret'] } } }, { content: [{ type: 'text', text: 'secret' }], structuredContent: { a: 'secret' } }];
    for (const output of hidden) await hooks['tool.execute.after'](call, output);
    assert.doesNotMatch(JSON.stringify(hidden), /secret/);
    assert.match(JSON.stringify(hidden), /hidden|not allowed/);
  }
});

test('a name that a server chose changes no object but the output', async () => {
  answers(`printf '%s' '{"allow":true,"output":{"output":"[gone]","metadata":{"__proto__":{"LOKI_SESSION_ID":"x"}}}}'`);
  const output: Output = { output: 'secret', metadata: {} };
  await hooks['tool.execute.after'](call, output);
  assert.equal(output.output, '[gone]');
  assert.equal(Reflect.get({}, 'LOKI_SESSION_ID'), undefined);
});

test('a prompt goes on only with a yes', async () => {
  const parts = [{ type: 'text', text: 'one' }, { type: 'file' }, { type: 'text', text: 'two' }];
  says({ allow: true });
  await hooks['chat.message']({ sessionID: 's' }, { parts });
  assert.deepEqual(told(), { event: 'chat.message', sessionID: 's', prompt: 'one\ntwo', cwd: '/the/project' });
  says({ allow: false, reason: 'no secrets' });
  await assert.rejects(hooks['chat.message']({ sessionID: 's' }, { parts }), { message: 'no secrets' });
});

test('tokens are told when a session rests, each once, whatever was told before', async () => {
  const message = (id: string, input: number, modelID = 'm'): object => ({ id, sessionID: 's', role: 'assistant', providerID: 'p', modelID, tokens: { input, output: 2, reasoning: 3, cache: { read: 4, write: 5 } } });
  const updated = (info: object): Promise<void> => hooks.event({ event: { type: 'message.updated', properties: { info } } });
  const idle = async (): Promise<unknown> => { await hooks.event({ event: { type: 'session.idle', properties: { sessionID: 's' } } }); return told()['usage']; };
  answers('exit 1');
  await hooks.event({ event: { type: 'session.created', properties: { info: { id: 's' } } } });
  assert.deepEqual(told(), { event: 'session.start', sessionID: 's', cwd: '/the/project' });
  await updated(message('a', 1));
  await updated(message('a', 10));
  await updated(message('b', 1, 'n'));
  await updated({ id: 'u', sessionID: 's', role: 'user' });
  await updated({ ...message('x', 99), sessionID: 'other' });
  await hooks.event({ event: { type: 'server.connected' } });
  assert.deepEqual(await idle(), [{ model: 'p/m', input: 10, output: 5, cacheRead: 4, cacheWrite: 5 }, { model: 'p/n', input: 1, output: 5, cacheRead: 4, cacheWrite: 5 }]);
  await updated(message('a', 12));
  assert.deepEqual(await idle(), [{ model: 'p/m', input: 2, output: 0, cacheRead: 0, cacheWrite: 0 }]);
  assert.deepEqual(await idle(), []);
});

test('when opencode ends, what is being told is told to its end, and each session that began has stopped', async () => {
  const fresh = await load(pluginText(), 'ending.mjs');
  answers('exit 1');
  await fresh.event({ event: { type: 'session.created', properties: { info: { id: 's1' } } } });
  answers(`sleep 0.3; touch '${join(folder, 'idle-told')}'`);
  void fresh.event({ event: { type: 'session.idle', properties: { sessionID: 's1' } } });
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  answers('exit 1');
  await fresh.dispose();
  assert.ok(existsSync(join(folder, 'idle-told')));
  assert.deepEqual(told(), { event: 'session.stop', sessionID: 's1', cwd: '/the/project' });
});
