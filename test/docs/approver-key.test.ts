/** docs/formats/approver-key.md against the program. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openKey, proveWith, readApprovers, readSealedKey, sealedNameOf } from '../../lib/approvals/approver-key.ts';
import { decisionText } from '../../lib/approvals/statement.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import { makeGround } from '../support/ground.ts';
import { packageRoot } from '../support/root.ts';

const file = join(packageRoot, 'docs/formats/approver-key.md');
/** A vendored copy has no docs/. */
const page = existsSync(file) ? readFileSync(file, 'utf8') : '';

test('the key of the page opens with the passphrase of the page, lies in the file the page names, and signs as the page says', { skip: page === '' }, async (t) => {
  const { home, installation } = makeGround(t);
  const [, publicName = '', publicText = '', sealedName = '', sealedText = ''] = /\$ cat LOKI_HOME\/keys\/(\S+)\n(\{.*\})\n\$ cat LOKI_HOME\/keys\/(\S+)\n(\{.*\})\n/.exec(page) ?? [];
  mkdirSync(join(home, 'keys'), { recursive: true, mode: 0o700 });
  for (const [name, text] of [[publicName, publicText], [sealedName, sealedText]] as const) writeFileSync(join(home, 'keys', name), `${text}\n`, { mode: 0o600 });
  const place = { disk: installation().host.disk, base: home, directory: join(home, 'keys') };
  const [approver] = readApprovers(place);
  assert.ok(approver !== undefined);
  assert.equal(sealedNameOf(approver), sealedName);
  const sealed = readSealedKey(place, approver);
  const passphrase = /opens with the passphrase `([^`]+)`/.exec(page)?.[1] ?? '';
  const seed = sealed === undefined ? undefined : await openKey(sealed, passphrase);
  assert.ok(seed !== undefined);

  const text = /A decision about an approval:\n\n```\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const [, id = '', outcome, action_hash = '', policy_digest = '', by = '', reasonHash, at = ''] = text.split('\n');
  assert.ok(outcome === 'approve');
  assert.equal(reasonHash, sha256Hex(''));
  assert.equal(decisionText({ id, action_hash, policy_digest }, { outcome, by, reason: null, at }), text);
  const proof = proveWith(seed, approver.key, () => Date.parse(at))(() => text);
  assert.ok(proof.kind === 'approver_key');
  assert.equal(proof.signature, /by the key of the example: `([^`]+)`/.exec(page)?.[1]);
});
