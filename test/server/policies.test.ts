/** The policies over the API: what is in force, and what it says of a context. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isPlainObject } from '../../lib/base/json.ts';
import { openInstallation } from '../../lib/app/installation.ts';
import { policyService } from '../../lib/app/policy-service.ts';
import type { KeyWish } from '../../lib/server/auth/key-room.ts';
import { bodyOf, createKit, localToken, mint, putTenant, send, type Call } from '../support/api-kit.ts';
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

test('another policy is put in force and enrolled in one act, from wherever the control plane was started; one with mistakes, or that fails its own tests, changes nothing', async (t) => {
  const { write, enrol, installation, project, root } = makeGround(t);
  const read = (): string => readFileSync(join(project, '.loki/policies.yaml'), 'utf8');
  const first = 'version: 1\npolicies:\n  pre_execution:\n    - { name: no-push, when: \'command matches "git push*"\', action: deny }\n';
  write('project/.loki/policies.yaml', first);
  await enrol();
  const id = installation().project?.id ?? '';
  const elsewhere = dirname(write('elsewhere/notes.txt', ''));
  const kit = createKit({ authentication: true }, { policies: policyService(openInstallation({ env: { LOKI_HOME: join(root, 'home') }, cwd: elsewhere, homeDirectory: root })) });
  const tenant = await putTenant(kit.store, 1);
  await kit.store.transact([], [{ key: `projects/${id}`, value: { id } }]);
  const as = async (wish: KeyWish): Promise<Readonly<Record<string, string>>> => ({ authorization: `Bearer ${(await mint(kit, wish)).token}`, 'content-type': 'application/json' });
  const admin = await as({ name: 'root', tenant: null, role: 'admin' });
  const put = (text: string, headers: Readonly<Record<string, string>>): ReturnType<typeof send> => send(kit.api, `/api/v2/policies?project_id=${id}`, { method: 'PUT', headers, body: JSON.stringify({ text }) });
  const second = first.replace('git push', 'git pull');
  for (const [text, headers, status, why] of [
    [second, await as({ name: 'op', tenant: null, role: 'operator' }), 403, /needs the scope/], [second, await as({ name: 'other', tenant, role: 'admin' }), 404, /there is no project/],
    ['version: 2\n', admin, 400, /mistake/], [`${second}tests:\n  - { name: pull, point: pre_execution, context: { kind: exec, command: git pull }, expect: ALLOW }\n`, admin, 400, /1 test of its policy failed/],
    [second, { ...admin, 'if-match': '"stale"' }, 412, /not the one that If-Match names/],
  ] as const) {
    const answer = await put(text, headers);
    assert.equal(answer.status, status, String(answer.body));
    assert.match(String(answer.body), why);
    assert.equal(read(), first);
  }
  const { headers: { ETag: tag = '' } } = await send(kit.api, `/api/v2/policies?project_id=${id}`, { headers: admin });
  const answer = await put(second, { ...admin, 'if-match': tag });
  assert.equal(answer.status, 200, String(answer.body));
  assert.equal((bodyOf(answer) as { readonly changed_since_enrolment: unknown }).changed_since_enrolment, null);
  assert.equal(read(), second);
  const judged = bodyOf(await send(kit.api, `/api/policies/evaluate?project_id=${id}`, post({ point: 'pre_execution', context: { kind: 'exec', command: 'git pull' } }, admin)));
  assert.equal((judged as { readonly decision: unknown }).decision, 'DENY');
});

test('a project that is not enrolled is not found', async (t) => {
  const { installation } = makeGround(t);
  const { api } = createKit({}, { policies: policyService(installation()) });
  assert.equal((await send(api, '/api/policies?project_id=prj_00000000000000000000000000')).status, 404);
});

