/** `loki keys …`: keys of the API over the API, for administrators. `loki enterprise token` does the same on the machine itself. */
import { keyRoles, keyScopes } from '../../lib/app/tokens.ts';
import type { Commands } from '../command.ts';
import { getCommand } from '../objects/get.ts';
import { listCommand } from '../objects/list.ts';
import { expiryOf, orNone } from '../objects/members.ts';
import type { Member, Resource } from '../objects/resource.ts';
import { keyColumns, keyWords, tellToken } from '../objects/tokens.ts';
import { actCommand, createCommand, removeCommand, updateCommand } from '../objects/write.ts';

const key: Resource = { one: 'key', many: 'keys', kind: 'key', words: keyWords, columns: keyColumns };

const id = 'key_01J8Z3T5C6D7E8F9G0H1J2K3M4';

const name: Member = { flag: { name: 'name', kind: 'text', value: 'NAME', summary: 'What entries in the log call its bearer: token:NAME' } };
const owner: Member = { flag: { name: 'owner', kind: 'text', value: 'user:NAME', summary: 'The person who decides when this key does; none' }, read: orNone };
const cidrs: Member = { flag: { name: 'cidrs', kind: 'text', value: 'BLOCKS', summary: 'Where it may be shown from, as 10.0.0.0/8,192.0.2.7; none for everywhere', repeated: true } };
const expires: Member = { flag: { name: 'expires-at', kind: 'text', value: 'TIME', summary: 'When it ends: 90d, 2027-01-31, never' }, read: expiryOf };

export const commands: Commands<'list' | 'get' | 'create' | 'update' | 'revoke' | 'rotate'> = {
  list: listCommand(key, {
    about: 'Lists keys, none with its token: those of one\'s tenant, or all of them for administrators of the installation.',
    filters: [{ flag: { name: 'state', kind: 'text', value: 'STATE', summary: 'Those that count, or do not any more', choices: ['active', 'expired', 'revoked'] } }],
    examples: [['loki keys list --state active', ''], ['loki keys list --all --json', '']],
  }),
  get: getCommand(key, { about: 'Shows one key, without its token.', examples: [[`loki keys get ${id}`, '']] }),
  create: createCommand(key, {
    about: 'Makes a key. Its token is printed on stdout, once; only its hash is kept. It cannot have rights that whoever asks does not have. Once an approver key exists, it takes a fresh proof: a key with the scope approve, or a single sign-on of the last ten minutes; '
      + 'without one: loki enterprise token generate, where the approver key is kept.',
    members: [
      { ...name, required: true },
      { flag: { name: 'role', kind: 'text', value: 'ROLE', summary: 'What it may do', choices: keyRoles } },
      { flag: { name: 'scopes', kind: 'text', value: 'SCOPES', summary: `Beside those of the role, as read,audit: ${keyScopes.join(', ')}; approve needs --owner`, repeated: true } },
      owner, cidrs, expires,
      { flag: { name: 'tenant-id', kind: 'text', value: 'ID', summary: 'The tenant it is for; none for the installation (one\'s own)' }, read: orNone },
    ],
    tell: (context, object) => tellToken(context, object, 'Made'),
    examples: [['loki keys create --name ci --role operator --expires-at 90d', 'prints its token'], ['loki keys create --name auditor --role auditor --cidrs 10.0.0.0/8', '']],
  }),
  update: updateCommand(key, {
    about: 'Changes members of a key; rights are never changed, that takes another key. More addresses or a later end take a fresh proof, as making one does.',
    members: [name, owner, cidrs, expires], unkeyed: true, examples: [[`loki keys update ${id} --cidrs 10.0.0.0/8 --expires-at 30d`, '']],
  }),
  revoke: removeCommand(key, {
    about: 'Revokes a key: from now on its token does not count. That it was there, and what it did, stays told.', verb: ['Revoke', 'Revoked'], always: true,
    examples: [[`loki keys revoke ${id}`, 'shows it, and asks'], [`loki keys revoke ${id} --yes`, '']],
  }),
  rotate: actCommand(key, {
    about: 'Makes a new token in place of the old one, with the same rights; it is printed on stdout, once. The old one goes on working for --grace-period-hours, or until it is revoked. Takes a fresh proof, as making one does.',
    act: 'rotate', members: [{ flag: { name: 'grace-period-hours', kind: 'integer', value: 'N', summary: 'How long the old token goes on working (24)', least: 0, most: 720 } }],
    tell: (context, object) => tellToken(context, object, 'Made'),
    examples: [[`loki keys rotate ${id}`, ''], [`loki keys rotate ${id} --grace-period-hours 0`, 'the old one ends at once']],
  }),
};
