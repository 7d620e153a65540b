/** Checks of what stands behind decisions: the approver keys, and the webhooks that tell of approvals. */
import { messageOf } from '../../errors.ts';
import { isPlainObject } from '../../base/json.ts';
import { readSealedKey } from '../../approvals/approver-key.ts';
import type { Approver } from '../../approvals/proof.ts';
import { readWaiting, waitingNames } from '../../approvals/webhooks/spool.ts';
import { approverPlace, approversOf } from '../approver.ts';
import { spoolPlace } from '../webhooks.ts';
import { count, fail, names, ok, span, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

export const approvalChecks: readonly Check[] = [
  { name: 'proof', about: 'what it takes to decide', look: proof },
  { name: 'sealed keys', about: 'whether the keys that sign decisions are here and whole', look: sealedKeys },
  { name: 'recorded keys', about: 'whether the log of record knows the keys that are in force', look: recordedKeys },
  { name: 'webhooks', about: 'messages that wait for their receiver', look: webhooks },
];

function approvers({ installation }: Scene): readonly Approver[] | string {
  try {
    return approversOf(installation);
  } catch (error) {
    return messageOf(error);
  }
}

function proof(scene: Scene): Outcome {
  const found = approvers(scene);
  if (typeof found === 'string') return fail(`nothing can be decided: ${found}`, 'Restore the files of LOKI_HOME/keys from a copy');
  if (found.length === 0) return ok('a confirmation at the terminal, or --yes: a program of your account can decide in your name. loki approver create asks for a passphrase from then on');
  return ok(`the passphrase of an approver key (${names(found.map(({ owner }) => owner))})`);
}

function sealedKeys(scene: Scene): Outcome {
  const found = approvers(scene);
  if (typeof found === 'string' || found.length === 0) return ok('none');
  const place = approverPlace(scene.installation);
  const elsewhere = found.filter((approver) => readSealedKey(place, approver) === undefined);
  if (elsewhere.length === 0) return ok(`${count(found.length, 'sealed key')} here`);
  return ok(`${names(elsewhere.map(({ owner }) => owner))}: kept elsewhere; decisions come over the API, with loki approve ID --print-proof`);
}

/** The newest creation that the log tells of is the key in force, as far back as is looked. */
function recordedKeys(scene: Scene): Outcome {
  const found = approvers(scene);
  if (typeof found === 'string') return ok('none can be read');
  const { events, whole } = scene.recent();
  const told = ['auth.token.create', 'auth.token.rotate'].map((event) => events.get(event)?.newest['details']).flatMap((details) => (isPlainObject(details) && details['what'] === 'approver key' ? [String(details['key'])] : []));
  const known = new Set(found.map(({ key }) => key));
  const missing = told.filter((key) => !known.has(key));
  if (missing.length > 0 && found.length === 0) return fail(`the log tells of the approver key ${missing[0] ?? ''}, and there is none: somebody removed it`, 'Find out who; restore LOKI_HOME/keys from a copy');
  if (found.length > 0 && whole && told.length === 0) return fail('the log does not tell of any approver key, and there is one: somebody put it there', 'Find out who; compare the fingerprint: loki approver status');
  return ok(found.length === 0 ? 'none' : 'as the log tells');
}

/** A receiver that is away for longer than this is worth a word. */
const patienceMs = 10 * 60_000;

function webhooks({ installation, now }: Scene): Outcome {
  const place = spoolPlace(installation);
  const all = waitingNames(place).map((name) => readWaiting(place, name)).filter((each) => each !== undefined);
  if (all.length === 0) return ok('nothing waits');
  const givenUp = all.filter(({ nextTry }) => nextTry === null);
  const oldest = Math.min(...all.map(({ spooledAt }) => spooledAt));
  const trouble = all.find((each) => each.trouble !== null)?.trouble;
  const words = `${count(all.length, 'message')} for webhooks, the oldest for ${span(now - oldest)}${givenUp.length === 0 ? '' : `, ${givenUp.length} given up`}${trouble === undefined || trouble === null ? '' : `: ${trouble}`}`;
  if (givenUp.length > 0) return fail(words, 'Put the receiver right, then: loki webhooks send --again');
  return now - oldest > patienceMs || trouble !== undefined ? warn(words, 'Put the receiver right; loki webhooks send --again tries at once') : ok(words);
}
