import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAsker, type Asker, type AskerOptions } from '../../cli/asker.ts';
import { createOutput } from '../../cli/output.ts';
import { shellWord } from '../../cli/shell-word.ts';
import { LokiError } from '../../lib/errors.ts';
import type { OpenApprovals } from '../../lib/app/approvals.ts';
import type { Prove } from '../../lib/approvals/proof.ts';
import type { ApprovalView } from '../../lib/runs/deps.ts';
import type { RunEvent } from '../../lib/runs/run.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const loki = "LOKI_HOME='/a b/home' node /x/loki.js";

interface Table {
  readonly asker: Asker;
  readonly printed: { out: string; err: string };
  readonly room: OpenApprovals['room'];
  readonly decided: string[];
  /** Status of each approval, as somebody elsewhere may set it. */
  readonly statuses: Map<string, string>;
  /** Answers the question that stands. */
  answer(text: string | undefined): void;
  asking(): boolean;
}

/** A person at a terminal, and approvals that others may decide. */
function table({ isTerminal = true, askProof }: { readonly isTerminal?: boolean; readonly askProof?: AskerOptions['askProof'] } = {}): Table {
  const terminal = fakeTerminal({ isTerminal, env: { NO_COLOR: '1' } });
  const statuses = new Map<string, string>();
  const decided: string[] = [];
  let standing: ((text: string | undefined) => void) | undefined;
  const ask = (question: string, withdrawn?: AbortSignal): Promise<string | undefined> => new Promise((resolve) => {
    terminal.printed.err += question;
    standing = (text) => {
      standing = undefined;
      resolve(text);
    };
    withdrawn?.addEventListener('abort', () => {
      if (standing === undefined) return;
      terminal.printed.err += '\n';
      standing(undefined);
    });
  });
  const room = {
    get: (id: string) => Promise.resolve({ id, status: statuses.get(id) }),
    async wait(id: string, _timeoutMs: number, signal?: AbortSignal) {
      while (statuses.get(id) === 'pending') {
        if (signal?.aborted === true) throw new LokiError('interrupted', { attempted: 'wait', found: 'broken off' });
        await new Promise((resolve) => { setTimeout(resolve, 5); });
      }
      return { id };
    },
    decide({ id, outcome, by, proof }: { readonly id: string; readonly outcome: string; readonly by: string; readonly proof: { readonly kind: string } }) {
      if (statuses.get(id) !== 'pending') return Promise.reject(new LokiError('approval.decided', { attempted: `${outcome} ${id}`, found: 'it is decided' }));
      statuses.set(id, outcome);
      decided.push(`${by} ${outcome} ${id}${proof.kind === 'terminal' ? '' : ` ${proof.kind}`}`);
      return Promise.resolve({ id });
    },
  } as unknown as OpenApprovals['room'];
  const asker = createAsker({ output: createOutput(terminal, { json: false, quiet: false, plain: false }), terminal: { ...terminal, ask } }, { actor: 'user:a', loki, ...(askProof === undefined ? {} : { askProof }) });
  return { asker, printed: terminal.printed, room, decided, statuses, answer: (text) => standing?.(text), asking: () => standing !== undefined };
}

function pending({ asker, room, statuses }: Table, id: string): void {
  statuses.set(id, 'pending');
  const view: ApprovalView = { id, status: 'pending', reason: 'a long reason', action: `exec ${id}`, expires_at: '2026-02-15T15:00:00.000Z' };
  asker.onApproval(view, room);
  asker.onApproval(view, room);
}

function event(details: RunEvent['details']): RunEvent {
  return { id: 'evt_1', seq: 1, event_type: 'approval', phase: 'ACT', details, timestamp: '2026-02-15T14:30:05.000Z' };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    assert.ok(tries < 400, what);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

test('approvals are asked one after the other, each once, with the action and without its reason', async () => {
  const at = table();
  pending(at, 'apr_1');
  pending(at, 'apr_2');
  await until('the first question', at.asking);
  at.answer('y');
  await until('the second question', at.asking);
  at.answer('');
  await until('both are decided', () => at.decided.length === 2);
  assert.deepEqual(at.decided, ['user:a approve apr_1', 'user:a reject apr_2']);
  assert.equal(at.printed.err, 'Approve exec apr_1? [y/N] Approve exec apr_2? [y/N] ');
});

test('a question whose approval is decided elsewhere is withdrawn, and the next one is put', async () => {
  const at = table();
  pending(at, 'apr_1');
  pending(at, 'apr_2');
  await until('the first question', at.asking);
  at.statuses.set('apr_1', 'approved');
  await until('the second question', () => at.printed.err.includes('apr_2'));
  assert.equal(at.printed.err, 'Approve exec apr_1? [y/N] \nApprove exec apr_2? [y/N] ');
  at.answer('yes');
  await until('the second is decided', () => at.decided.length === 1);
  assert.deepEqual(at.decided, ['user:a approve apr_2']);
});

test('what is told while a question stands has lines of its own, and the question stands below it again', async () => {
  const at = table();
  pending(at, 'apr_1');
  await until('the question', at.asking);
  at.asker.between(event({ approval_id: 'apr_2', status: 'expired' }), () => { at.printed.err += 'told\n'; });
  assert.equal(at.printed.err, 'Approve exec apr_1? [y/N] \ntold\nApprove exec apr_1? [y/N] ');
  at.statuses.set('apr_1', 'rejected');
  at.asker.between(event({ approval_id: 'apr_1', status: 'rejected' }), () => { at.printed.err += 'rejected\n'; });
  assert.match(at.printed.err, /\[y\/N\] \nrejected\n$/);
  await until('nothing is asked', () => !at.asking());
  at.asker.between(event({}), () => { at.printed.err += 'later\n'; });
  assert.match(at.printed.err, /\nrejected\nlater\n$/);
  assert.deepEqual(at.decided, []);
});

test('an approval that cannot be asked about is told with the command that decides it', async () => {
  const words = `To decide: ${loki} approve apr_1 (or reject in place of approve; until 2026-02-15T15:00:00.000Z)\n`;
  const nobody = table({ isTerminal: false });
  pending(nobody, 'apr_1');
  assert.equal(nobody.printed.err, words);
  const gone = table();
  pending(gone, 'apr_1');
  await until('the question', gone.asking);
  gone.answer(undefined);
  await until('the hint', () => gone.printed.err.endsWith(words));
  assert.deepEqual(gone.decided, []);
});

test('once there is an approver key a yes takes the passphrase; without it nothing is decided, and the question withdrawn meanwhile is none', async () => {
  const proof = { kind: 'approver_key', key: 'k', at: '2026-02-15T14:30:05.000Z', signature: 's' } as const;
  const answers: (Prove | undefined)[] = [() => proof, undefined];
  const at = table({ askProof: () => Promise.resolve(answers.shift()) });
  pending(at, 'apr_1');
  pending(at, 'apr_2');
  pending(at, 'apr_3');
  await until('the first question', at.asking);
  at.answer('y');
  await until('the second question', () => at.printed.err.includes('apr_2') && at.asking());
  at.answer('y');
  await until('the third question', () => at.printed.err.includes('Approve exec apr_3') && at.asking());
  assert.match(at.printed.err, /To decide: .* approve apr_2/);
  at.answer('n');
  await until('a no needs none', () => at.decided.length === 2);
  assert.deepEqual(at.decided, ['user:a approve apr_1 approver_key', 'user:a reject apr_3']);
  const withdrawn = table({ askProof: (_question, signal) => new Promise((resolve) => { signal.addEventListener('abort', () => resolve(undefined)); }) });
  pending(withdrawn, 'apr_4');
  await until('the question', withdrawn.asking);
  withdrawn.answer('y');
  withdrawn.statuses.set('apr_4', 'rejected');
  pending(withdrawn, 'apr_5');
  await until('the next question', () => withdrawn.printed.err.includes('apr_5'));
  assert.ok(!withdrawn.printed.err.includes('To decide'), withdrawn.printed.err);
  withdrawn.answer('n');
  await until('all is decided', () => withdrawn.decided.length === 1);
});

test('a path is one word of a shell, whatever is in it', () => {
  assert.deepEqual(['/a/b-1.js', '/a b', "it's", '$(x)', '', '~', 'a=b'].map(shellWord), ['/a/b-1.js', "'/a b'", "'it'\\''s'", "'$(x)'", "''", "'~'", "'a=b'"]);
});
