/** What the commands of `loki enterprise token` share: flags, and the key that a person means. */
import { LokiError } from '../lib/errors.ts';
import { tokensMeant } from '../lib/app/tokens.ts';
import type { Installation } from '../lib/app/installation.ts';
import type { JsonObject } from '../lib/base/json.ts';
import type { CommandContext, FlagRow, OperandRow } from './command.ts';
import { printable } from './output.ts';

export const keyOperand: OperandRow = { name: 'KEY', summary: 'The key: its id, or the name of one that counts', required: true };

export const tenantFlag: FlagRow = { name: 'tenant', kind: 'text', value: 'TENANT', summary: 'Of this tenant, by its id or slug (of the installation)' };

/** Said by every command here: keys are looked up on this machine and not where LOKI_URL leads. */
export const worksHere = 'Works on the records of this machine, whether a control plane runs or not. docs/authentication.md tells all about keys.';

/** The keys that KEY means; of a name all that count. */
export function keysMeant({ args }: CommandContext, installation: Installation, attempted: string): Promise<readonly JsonObject[]> {
  return tokensMeant(installation, args.operand('KEY') ?? '', args.text('tenant') ?? null, attempted);
}

/** The one key that is to be rotated: of a name the newest, which the others were rotated to. Throws `conflict` where that is not one. */
export async function keyToRotate(context: CommandContext, installation: Installation, attempted: string): Promise<JsonObject> {
  const meant = await keysMeant(context, installation, attempted);
  const old = new Set(meant.map(({ rotated_from: from }) => from));
  const [key, ...others] = meant.filter(({ id }) => !old.has(id ?? null));
  if (key !== undefined && others.length === 0) return key;
  throw new LokiError('conflict', { attempted, found: `${meant.length} keys have that name: ${meant.map(({ id }) => printable(String(id))).join(', ')}`, hint: 'Name the one by its id' });
}

/** `alice` and `user:alice` are the same person. */
export function ownerOf(name: string | undefined): string | null {
  return name === undefined ? null : name.startsWith('user:') ? name : `user:${name}`;
}

/** `a,b`, and `a` and `b` apart. */
export function itemsOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(',')).map((item) => item.trim()).filter((item) => item !== '');
}
