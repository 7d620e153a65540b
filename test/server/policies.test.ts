/** The policies over the API: what is in force, and what it says of a context. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainObject } from '../../lib/base/json.ts';
import { policyService } from '../../lib/app/policy-service.ts';
import { bodyOf, createKit, localToken, send, type Call } from '../support/api-kit.ts';
import { makeGround } from '../support/ground.ts';

const asLocal = { authorization: `Bearer ${localToken}`, 'content-type': 'application/json' };
const post = (body: unknown, headers: Readonly<Record<string, string>> = asLocal): Call => ({ method: 'POST', headers, body: JSON.stringify(body) });

test('a context is judged by the policy of a project, with the same object as everywhere', async (t) => {
  const { write, enrol, installation } = makeGround(t);
  write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_execution:\n    - { name: no-push, when: \'command matches "git push*"\', action: deny }\n');
  await enrol();
  const id = installation().project?.id ?? '';
  const { api } = createKit({}, { policies: policyService(installation()) });
  const answer = await send(api, `/api/v2/policies/evaluate?project_id=${id}`, post({ point: 'pre_execution', context: { kind: 'exec', command: 'cd x && git push' }, explain: true }));
  assert.equal(answer.status, 200);
  const decision = bodyOf(answer);
  assert.ok(isPlainObject(decision));
  assert.deepEqual([decision['decision'], isPlainObject(decision['explain'])], ['DENY', true]);
  assert.deepEqual(JSON.parse(JSON.stringify(decision['violations']))[0].compared, [{ field: 'command', operator: 'matches', holds: true, value: 'git push', with: 'git push*' }]);
  const described = bodyOf(await send(api, `/api/policies?project_id=${id}`));
  assert.ok(isPlainObject(described) && Array.isArray(described['rules']));
  assert.deepEqual([described['project_id'], described['changed_since_enrolment'], described['rules'].length], [id, null, 1]);
  write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  const changed = bodyOf(await send(api, `/api/policies?project_id=${id}`));
  assert.ok(isPlainObject(changed));
  assert.equal(changed['changed_since_enrolment'], '.loki/policies.yaml differs from what was enrolled');
});

test('who may not, and what cannot be understood, is refused', async () => {
  const { api } = createKit();
  const good = { point: 'data', context: {} };
  for (const [call, status, told] of [
    [post(good, { 'content-type': 'application/json' }), 401, /./],
    [post({ ...good, contxt: 1 }), 400, /\\"contxt\\" that is not known \(did you mean \\"context\\"\?\)/],
    [post({ point: 1, context: [] }), 400, /\\"point\\" must be a text of 1 to 100 characters, and is 1; \\"context\\" must be an object/],
    [post({ ...good, explain: 'yes' }), 400, /\\"explain\\" must be true or false/],
    [post([]), 400, /the body must be an object/],
    [post({ point: 'pre_deployment', context: { passed_gate: ['tests'], environment: 1 } }), 400, /\\"passed_gate\\" is not a field of pre_deployment \(did you mean \\"passed_gates\\"\?\); environment must be text/],
    [{ method: 'PUT', headers: asLocal, body: '{}' }, 405, /./],
  ] as const) {
    const answer = await send(api, '/api/v2/policies/evaluate', call);
    assert.equal(answer.status, status, JSON.stringify(call));
    assert.match(String(answer.body), told);
  }
  assert.equal((await send(api, '/api/policies?project_id=x')).status, 400);
});

test('a project that is not enrolled is not found', async (t) => {
  const { installation } = makeGround(t);
  const { api } = createKit({}, { policies: policyService(installation()) });
  assert.equal((await send(api, '/api/policies?project_id=prj_00000000000000000000000000')).status, 404);
});

