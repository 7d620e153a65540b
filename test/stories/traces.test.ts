/** The trace of a governed run as a receiver gets it: made by the processes of a real `loki start` and of its agent's hooks. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openWorker } from '../../lib/app/worker.ts';
import { parseContext } from '../../lib/base/trace-context.ts';
import { spanIdOf, traceIdOf } from '../../lib/base/trace-ids.ts';
import { endOf } from '../support/child.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import { order, usual, workerGround } from '../support/ordered-runs.ts';
import { spansIn, type ReceivedSpan } from '../support/otlp-read.ts';
import { checkPayload } from '../support/otlp-schema.ts';

const caller = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const [callerTrace, callerSpan] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const secret = 'canary-4711';

/** One round: a task, an action that is allowed and one that is not, and a reviewer that is content. */
const script = JSON.stringify({
  version: 1, title: 'traced',
  rounds: [{
    REASON: [{ task: `Do it ${secret}` }, { usage: { input_tokens: 100, output_tokens: 50 } }],
    ACT: [{ write: `${secret}.txt`, lines: [secret] }, { run: `echo ${secret} > force` }, { usage: { input_tokens: 10, output_tokens: 5 } }],
    REFLECT: [{ say: secret }],
    VERIFY: { correctness: [{ verdict: 'approve', reason: secret }] },
  }],
});
const policy = 'version: 1\npolicies:\n  pre_execution:\n    - name: no-force\n      when: \'command matches "*force*"\'\n      action: deny\n';
const scripted = 'runs:\n  gates: [{name: tests, command: "echo $TRACEPARENT > gate-was-in", timeout: 10}]\n  council: {reviewers: [correctness], required: 1}\n  max_iterations: 1\n  branch_protection: false\n';

/** Where telemetry goes: a folder beside LOKI_HOME. */
function toFolder({ root }: Ground): string {
  return `enterprise:\n  telemetry:\n    endpoint: "file://${encodeURI(join(root, 'out'))}/"\n`;
}

function traced(t: Parameters<typeof makeGround>[0], runs: string): Ground {
  const made = makeGround(t);
  made.write('project/PRD.md', `# Make it work, ${secret}\n`);
  made.write('project/.loki/policies.yaml', policy);
  made.write('home/config.yaml', `${runs}${toFolder(made)}`);
  return made;
}

/** What a receiver has, in the order in which it began. Every payload is held against the schema. */
function received({ root }: Ground): readonly ReceivedSpan[] {
  const folder = join(root, 'out');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.includes('.traces.')) : [];
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));
  for (const line of lines) assert.deepEqual(checkPayload('traces', line), []);
  return lines.flatMap(spansIn).toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano));
}

/** The names, each indented below its parent, children in the order they began. */
function tree(spans: readonly ReceivedSpan[]): readonly string[] {
  const told = ({ name, status, attributes }: ReceivedSpan): string => `${name}${status.code === 2 ? ` ! ${String(attributes['error.type'])}` : ''}`;
  const from = (span: ReceivedSpan, depth: number): readonly string[] => [
    `${'  '.repeat(depth)}${told(span)}`, ...spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).flatMap((child) => from(child, depth + 1)),
  ];
  return spans.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId)).flatMap((root) => from(root, 0));
}

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const [found, another] = spans.filter((span) => span.name === name);
  assert.ok(found !== undefined && another === undefined, `one span "${name}" among ${spans.map((span) => span.name).join(', ')}`);
  return found;
}

describe('loki start and the hooks of its agent', { concurrency: 2 }, () => {
  test('make one trace, of everything once, and of nothing that was worked on', async (t) => {
    const here = traced(t, scripted);
    const { exit, stdout, stderr } = await here.process(['start', 'PRD.md', '--script', here.write('script.json', script)]);
    assert.equal(exit, 0, stdout + stderr);
    const spans = received(here);
    assert.deepEqual(tree(spans), [
      'project', '  task',
      '    rarv.reason', '      policy.evaluate', '      policy.evaluate', '      agent.scripted.reason',
      '    rarv.act', '      policy.evaluate', '      policy.evaluate', '      agent.scripted.act',
      '        execute_tool write', '          policy.evaluate', '          audit.append',
      '        execute_tool shell ! denied', '          policy.evaluate', '          audit.append',
      '    rarv.reflect', '      policy.evaluate', '      policy.evaluate', '      agent.scripted.reflect',
      '    rarv.verify', '      quality_gate.tests', '      council.correctness', '        policy.evaluate', '        policy.evaluate', '        agent.scripted.review',
      '      policy.evaluate',
    ]);
    const run = String(only(spans, 'project').attributes['loki.run.id']);
    assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [traceIdOf(`run:${run}`)]);
    assert.ok(!JSON.stringify(spans, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes(secret));
    const gate = only(spans, 'quality_gate.tests');
    assert.equal(readFileSync(join(here.project, 'gate-was-in'), 'utf8'), `00-${gate.traceId}-${gate.spanId}-01\n`);
    const act = only(spans, 'agent.scripted.act');
    assert.deepEqual([act.attributes['gen_ai.usage.input_tokens'], act.attributes['gen_ai.usage.output_tokens'], act.attributes['process.exit.code']], [10, 5, 0]);
    const denied = only(spans, 'execute_tool shell');
    assert.deepEqual([denied.attributes['loki.policy.rule'], denied.attributes['loki.run.id'], denied.resource['service.name']], ['no-force', run, act.resource['service.name']]);
    for (const span of spans) {
      const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
      assert.ok(parent === undefined || parent.name.startsWith('execute_tool') || parent.startTimeUnixNano <= span.startTimeUnixNano + 2_000_000n, `${span.name} begins before ${parent?.name}`);
    }
  });

  test('join the trace of whoever started it', async (t) => {
    const here = traced(t, scripted);
    await here.process(['start', 'PRD.md', '--script', here.write('script.json', script)], { env: { TRACEPARENT: caller, TRACESTATE: 'vendor=1' } });
    const spans = received(here);
    assert.equal(only(spans, 'project').parentSpanId, callerSpan);
    assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [callerTrace]);
    assert.equal(spans.filter(({ name }) => name.startsWith('execute_tool')).length, 2);
  });

  test('tell nothing of a trace that is not to be kept', async (t) => {
    const here = traced(t, scripted);
    const { exit } = await here.process(['start', 'PRD.md', '--script', here.write('script.json', script)], { env: { TRACEPARENT: caller.replace(/01$/, '00') } });
    assert.equal(exit, 0);
    assert.deepEqual(tree(received(here)), []);
    assert.equal(readFileSync(join(here.project, 'gate-was-in'), 'utf8').slice(0, 35), `00-${callerTrace}`);
    assert.match(readFileSync(join(here.project, 'gate-was-in'), 'utf8'), /-00\n$/);
  });

  test('are taken up after a crash in the same trace, linked to the work before', async (t) => {
    const stuck = 'cat > /dev/null; if [ "$LOKI_PHASE" = ACT ] && [ ! -e go-on ]; then echo > at-work; sleep 60; fi; echo done';
    const here = traced(t, `runs:\n  provider: {name: command, command: ${JSON.stringify(stuck)}}\n  council: {reviewers: [], required: 0}\n  max_iterations: 1\n  branch_protection: false\n`);
    const first = here.start(['start', 'PRD.md'], { env: { TRACEPARENT: caller } });
    const end = endOf(first);
    await until('the agent is at work', () => existsSync(join(here.project, 'at-work')));
    first.kill('SIGKILL');
    await end;
    here.write('project/go-on', '');
    const { exit, stderr } = await here.process(['resume']);
    assert.equal(exit, 0, stderr);
    const spans = received(here).filter(({ name }) => name !== 'loki resume');
    const [project] = spans.filter(({ name, attributes }) => name === 'project' && attributes['loki.run.attempt'] === 2);
    assert.ok(project !== undefined);
    const before = spanIdOf(callerTrace, `run:${String(project.attributes['loki.run.id'])}:1`);
    assert.deepEqual([project.traceId, project.parentSpanId, project.links.map(({ spanId }) => spanId)], [callerTrace, callerSpan, [before]]);
    assert.ok(spans.every(({ traceId }) => traceId === callerTrace));
    assert.deepEqual(tree(spans.filter(({ startTimeUnixNano }) => startTimeUnixNano >= project.startTimeUnixNano)).slice(0, 3), ['project', '  task', '    rarv.act']);
  });
});

test('a run that was ordered within a trace is driven in it, whatever its worker was started in', async (t) => {
  const here = await workerGround(t, usual);
  here.write('home/config.yaml', `${usual}${toFolder(here)}`);
  const id = await order(here, { trace: parseContext(caller, 'vendor=1') });
  const worker = await openWorker(here.installation({ TRACEPARENT: `00-${'9'.repeat(32)}-${'8'.repeat(16)}-01` }), { signal: new AbortController().signal });
  try {
    assert.equal((await worker.see(id))?.as, 'ended');
  } finally {
    await worker.close();
  }
  const spans = received(here);
  const project = only(spans, 'project');
  assert.deepEqual([project.traceId, project.parentSpanId, project.attributes['loki.run.id'], project.attributes['loki.run.trigger']], [callerTrace, callerSpan, id, 'api']);
  assert.ok(spans.every(({ traceId }) => traceId === callerTrace));
});
