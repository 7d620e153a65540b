/** `loki enterprise token generate`. */
import { exitCode, LokiError } from '../../lib/errors.ts';
import { checkWish, keyRoles, keyScopes, makeToken, type TokenWish } from '../../lib/app/tokens.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { Command, CommandContext } from '../command.ts';
import { yesFlag } from '../confirm.ts';
import { expiryOf } from '../objects/members.ts';
import { tellToken } from '../objects/tokens.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import { asFlag, askProof } from '../proof.ts';
import { itemsOf, ownerOf, tenantFlag, worksHere } from '../token.ts';

export const command: Command = {
  about: `Makes a key of the API. Its token is printed on stdout, once, and everything else on stderr, so that a script can take it; only its hash is kept. It takes a fresh proof: the passphrase of the approver key, or until one exists a confirmation or --yes.\n\n${worksHere}`,
  operands: [{ name: 'NAME', summary: 'What entries in the log call its bearer: token:NAME', required: true }],
  flags: [
    { name: 'role', kind: 'text', value: 'ROLE', summary: 'What it may do', choices: keyRoles },
    { name: 'scopes', kind: 'text', value: 'SCOPES', summary: `Beside those of the role, as read,audit: ${keyScopes.join(', ')}`, repeated: true },
    { name: 'owner', kind: 'text', value: 'NAME', summary: 'The person who decides when this key does; the scope approve needs one' },
    tenantFlag,
    { name: 'cidr', kind: 'text', value: 'BLOCK', summary: 'Where it may be shown from (everywhere): 10.0.0.0/8, or one address', repeated: true },
    { name: 'expires', kind: 'text', value: 'TIME', summary: 'When it ends (never): 90d, 2027-01-31, 2027-01-31T12:00:00Z' },
    yesFlag, asFlag,
  ],
  examples: [
    ['loki enterprise token generate admin --role admin --expires 30d', 'the first key of an installation'],
    ['LOKI_TOKEN=$(loki enterprise token generate ci --role operator --expires 90d --yes)', 'for a script'],
    ['loki enterprise token generate alice --role viewer --scopes approve --owner alice', 'may decide approvals, as alice'],
    ['loki enterprise token generate payments-ci --role operator --tenant payments --cidr 10.0.0.0/8', 'of a tenant, from one network'],
  ],
  exits: [[1, 'a person said no, or a key of that name is in use'], [4, 'a fresh proof is missing']],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const installation = open(context);
  const wish = wishOf(context, installation);
  checkWish(wish);
  const attempted = `make the key "${wish.name}"`;
  assertSound(wish, attempted);
  const rights = [wish.role, ...wish.scopes].filter((part) => part !== null).join(' + ');
  const proof = await askProof(context, installation, { question: `Make the key "${printable(wish.name)}" (${printable(rights)})?`, attempted });
  if (proof === undefined) return exitCode.failed;
  tellToken(context, await makeToken(installation, proof, wish), 'Made');
  return exitCode.done;
}

function wishOf({ args }: CommandContext, installation: Installation): TokenWish {
  const expires = args.text('expires');
  return {
    name: args.operand('NAME') ?? '', role: args.text('role') ?? null, scopes: itemsOf(args.list('scopes')), owner: ownerOf(args.text('owner')), cidrs: itemsOf(args.list('cidr')),
    expires_at: expires === undefined ? null : expiryOf(expires, installation.host.clock.now()), tenant: args.text('tenant') ?? null,
  };
}

/** What would be refused after the passphrase was typed is refused before. */
function assertSound({ role, scopes, owner }: TokenWish, attempted: string): void {
  if (role === null && scopes.length === 0) throw new LokiError('usage', { attempted, found: 'it would have neither a role nor a scope', hint: `Name a role: --role ${keyRoles.join(', ')}; or scopes: --scopes` });
  if (scopes.includes('approve') && owner === null) throw new LokiError('usage', { attempted, found: 'a key with the scope approve decides for somebody, and no owner is named', hint: 'Name the person: --owner alice' });
}
