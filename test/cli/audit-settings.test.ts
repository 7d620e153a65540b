/** What the log leaves out and adds, as the settings say, through the command line. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { makeGround, type Ground } from '../support/ground.ts';

const settings = (lines: readonly string[]): string => `enterprise:\n  audit:\n${lines.map((line) => `    ${line}\n`).join('')}`;

async function enrolled(t: TestContext, lines: readonly string[]): Promise<Ground> {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', 'version: 1\npolicies: {}\n');
  if (lines.length > 0) ground.write('home/config.yaml', settings(lines));
  await ground.enrol();
  return ground;
}

/** An action that is asked for and one that is told afterwards; gives the answer's `audit_seq`. */
async function actAndTell(ground: Ground, env: Readonly<Record<string, string>> = {}): Promise<number | null> {
  const asked = await ground.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls","session_id":"s1"}', env });
  assert.equal(asked.exit, 0, asked.stdout + asked.stderr);
  const { audit_seq: seq } = JSON.parse(asked.stdout);
  const told = await ground.loki(['hook', 'generic'], { input: JSON.stringify({ phase: 'post', kind: 'exec', command: 'ls', session_id: 's1', ...(seq === null ? {} : { ref: seq }), outcome: { ok: true, exit: 0 } }), env });
  assert.equal(told.exit, 0, told.stderr);
  return seq;
}

const eventsOn = (ground: Ground): readonly string[] => ground.entries().map(({ event }) => String(event)).filter((event) => event !== 'audit.checkpoint');

describe('the least level', () => {
  for (const [level, want] of [['debug', true], ['info', true], ['warning', false], ['error', false]] as const) {
    test(`${level}: a result of level info is ${want ? 'recorded' : 'left out'}, a decision always recorded`, async (t) => {
      const ground = await enrolled(t, []);
      await actAndTell(ground, { LOKI_AUDIT_LEVEL: level });
      assert.deepEqual(eventsOn(ground).slice(-2), want ? ['policy.allow', 'agent.action'] : ['project.enrol', 'policy.allow']);
    });
  }

  test('in the configuration it counts as in the environment, which wins', async (t) => {
    const ground = await enrolled(t, ['level: error']);
    await actAndTell(ground);
    assert.ok(!eventsOn(ground).includes('agent.action'));
    await actAndTell(ground, { LOKI_AUDIT_LEVEL: 'info' });
    assert.ok(eventsOn(ground).includes('agent.action'));
  });
});

describe('exclude_events', () => {
  test('leaves out what it names, and nothing else', async (t) => {
    const ground = await enrolled(t, ['exclude_events:', '  - agent.action']);
    await actAndTell(ground);
    assert.deepEqual(eventsOn(ground).slice(-1), ['policy.allow']);
  });

  test('cannot leave out decisions, approvals, authentication or the log\'s own entries', async (t) => {
    const ground = await enrolled(t, []);
    for (const name of ['policy.allow', 'approval.request', 'auth.fail', 'audit.verify']) {
      ground.write('home/config.yaml', settings(['exclude_events:', `  - ${name}`]));
      const { exit, stdout, stderr } = await ground.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
      const recorded = ground.entries().filter(({ event }) => event === 'policy.allow').length;
      assert.ok(exit !== 0 || recorded > 0, `${name}: ${stdout}${stderr}`);
    }
  });
});

test('include_metadata takes each name from the environment into every entry', async (t) => {
  const ground = await enrolled(t, ['include_metadata:', '  - environment', '  - deployment_id']);
  await actAndTell(ground, { LOKI_ENVIRONMENT: 'production', LOKI_DEPLOYMENT_ID: 'blue-7' });
  const [entry] = ground.entries().filter(({ event }) => event === 'policy.allow');
  const { metadata } = JSON.parse(JSON.stringify(entry));
  assert.deepEqual([metadata.environment, metadata.deployment_id, metadata.session_id], ['production', 'blue-7', 's1']);
  await actAndTell(ground);
  const [last] = ground.entries().filter(({ event }) => event === 'policy.allow').slice(-1);
  assert.equal('environment' in JSON.parse(JSON.stringify(last)).metadata, false, 'what is not set is not made up');
});

describe('integrity_check', () => {
  test('LOKI_AUDIT_NO_INTEGRITY=true writes entries without hashes in a file of their own; without it the chain goes on', async (t) => {
    const ground = await enrolled(t, []);
    await actAndTell(ground);
    await actAndTell(ground, { LOKI_AUDIT_NO_INTEGRITY: 'true' });
    await actAndTell(ground);
    const entries = ground.entries().toSorted((a, b) => Number(a['seq']) - Number(b['seq']));
    assert.deepEqual(entries.map(({ seq }) => seq), entries.map((_, at) => at + 1));
    const openings = entries.filter(({ event }) => event === 'audit.open').map((open) => JSON.parse(JSON.stringify(open)).details);
    assert.deepEqual(openings.map(({ reason, integrity }) => [reason, integrity]), [['first', undefined], ['integrity', 'off'], ['integrity', 'on']]);
    assert.ok(entries.some((entry) => !('chain_hash' in entry)));
    const verified = await ground.loki(['audit', 'verify']);
    assert.equal(verified.exit, 7, verified.stdout);
  });

  test('a project cannot switch it off', async (t) => {
    const ground = await enrolled(t, []);
    ground.write('project/.loki/config.yaml', settings(['integrity_check: false']));
    await ground.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"ls"}' });
    assert.ok(ground.entries().every((entry) => 'chain_hash' in entry));
  });
});

test('LOKI_AUDIT_DISABLED switches recording off, and the legacy variable on again', async (t) => {
  const ground = await enrolled(t, []);
  const before = ground.entries().length;
  assert.equal(await actAndTell(ground, { LOKI_AUDIT_DISABLED: 'true' }), null);
  assert.equal(ground.entries().length, before);
  assert.notEqual(await actAndTell(ground, { LOKI_AUDIT_DISABLED: 'true', LOKI_ENTERPRISE_AUDIT: 'true' }), null);
});

test('settings of checkpoints have effect and are not announced as if they had none; those that have none are', async (t) => {
  const ground = makeGround(t);
  const told = async (lines: readonly string[], more = ''): Promise<string> => {
    ground.write('home/config.yaml', settings(lines) + more);
    return (await ground.loki(['enterprise', 'status'])).stderr;
  };
  assert.doesNotMatch(await told(['checkpoint_every: 10', 'checkpoint_interval: 5s', `checkpoint_copy: ${JSON.stringify(ground.root)}`, 'origin: example.com']), /does not act on it/);
  assert.match(await told(['origin: example.com'], 'integrations:\n  slack: { channel: ops }\n'), /"integrations\.slack\.channel" is set, and this version does not act on it yet/);
});
