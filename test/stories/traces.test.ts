/** The trace of a governed run as a receiver gets it: made by the processes of a real `loki start` and of its agent's hooks. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseTraceparent } from '../../lib/base/trace-context.ts';
import { traceIdOf } from '../../lib/base/trace-ids.ts';
import { endOf } from '../support/child.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import { order, see, usual, workerGround } from '../support/ordered-runs.ts';
import { spansIn, type ReceivedSpan } from '../support/otlp-read.ts';
import { checkPayload } from '../support/otlp-schema.ts';
import { fixture } from '../support/root.ts';

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

function traced(t: Parameters<typeof makeGround>[0], runs: string): Ground {
  const made = makeGround(t);
  made.write('project/PRD.md', `# Make it work, ${secret}\n`);
  made.write('project/.loki/policies.yaml', policy);
  made.write('home/config.yaml', `${runs}enterprise:\n  telemetry:\n    endpoint: "file://${encodeURI(join(made.root, 'out'))}/"\n`);
  return made;
}

const scripted = 'runs:\n  gates: [{name: tests, command: "test -n \\"$TRACEPARENT\\"", timeout: 10}]\n  council: {reviewers: [correctness], required: 1}\n  max_iterations: 1\n  branch_protection: false\n';

/** What a receiver has, in the order in which it began. Every payload is held against the schema. */
function received({ root }: Ground): readonly ReceivedSpan[] {
  const folder = join(root, 'out');
  const lines = existsSync(folder) ? readdirSync(folder).filter((name) => name.includes('traces')).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean)) : [];
  for (const line of lines) assert.deepEqual(checkPayload('traces', line), []);
  return lines.flatMap(spansIn).toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano));
}

/** The names, each indented below its parent, children in the order they began. */
function tree(spans: readonly ReceivedSpan[]): readonly string[] {
  const below = (parent: string | undefined, depth: number): readonly string[] => spans.filter(({ parentSpanId }) => parentSpanId === parent)
    .flatMap((span) => [`${'  '.repeat(depth)}${span.name}${span.status.code === 2 ? ` ! ${String(span.attributes['error.type'])}` : ''}`, ...below(span.spanId, depth + 1)]);
  const roots = spans.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId));
  return roots.flatMap((root) => [root.name, ...below(root.spanId, 1)]);
}

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const [found, another] = spans.filter((span) => span.name === name);
  assert.ok(found !== undefined && another === undefined, `one span "${name}" among ${spans.map((span) => span.name).join(', ')}`);
  return found;
}

test('loki start and the hooks of its agent make one trace, of everything once, and of nothing that was worked on', async (t) => {
  const here = traced(t, scripted);
  const path = here.write('script.json', script);
  const { exit, stdout, stderr } = await here.process(['start', 'PRD.md', '--script', path]);
  assert.equal(exit, 0, stdout + stderr);
  const spans = received(here);
  assert.deepEqual(tree(spans), []);
  assert.ok(!JSON.stringify(spans, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes(secret));
});
