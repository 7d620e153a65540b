/** Keys as they are told to a person: the token alone on stdout, so that a script can take it; everything else on stderr. */
import type { JsonObject } from '../../lib/base/json.ts';
import type { CommandContext } from '../command.ts';
import { printable, type Colour } from '../output.ts';
import { textOf, timeColumn, type Column } from './resource.ts';

const stateColours: Readonly<Record<string, Colour>> = { active: 'green', expired: 'yellow', revoked: 'red' };

/** `operator`, `viewer + approve`, `read, audit`. */
export function rightsOf(object: JsonObject): string {
  return [textOf(object, 'role'), textOf(object, 'scopes')].filter((part) => part !== '').join(' + ');
}

export function keyWords(object: JsonObject): string {
  return `${textOf(object, 'name')} (${textOf(object, 'id')}, ${rightsOf(object)}, ends in …${textOf(object, 'hint')})`;
}

export const keyColumns: readonly Column[] = [
  { title: 'ID', cell: (object) => textOf(object, 'id') },
  { title: 'NAME', cell: (object) => textOf(object, 'name'), shrinks: true },
  { title: 'STATE', cell: (object) => textOf(object, 'state'), colour: (object) => stateColours[textOf(object, 'state')] },
  { title: 'RIGHTS', cell: rightsOf, shrinks: true },
  { title: 'TOKEN', cell: (object) => `…${textOf(object, 'hint')}` },
  { ...timeColumn('EXPIRES', 'expires_at'), shrinks: true },
  { ...timeColumn('LAST USED', 'last_used'), shrinks: true },
  { title: 'OWNER', cell: (object) => textOf(object, 'owner'), shrinks: true },
  { title: 'TENANT', cell: (object) => textOf(object, 'tenant_id'), shrinks: true },
];

/** Prints a key that was just made; with --json everything, the token among it. */
export function tellToken({ output }: CommandContext, object: JsonObject, did: string): void {
  if (isUnendingAdmin(object)) output.warn(`The key "${printable(textOf(object, 'name'))}" may do everything, and never expires. Take one with an end where you can.`);
  if (output.json) return output.value(object);
  output.note(`${did} the key ${printable(keyWords(object))}${textOf(object, 'expires_at') === '' ? '' : `, until ${textOf(object, 'expires_at')}`}`);
  output.note('This is its token. It is told this once, and only its hash is kept:');
  output.line(printable(textOf(object, 'token')));
}

function isUnendingAdmin(object: JsonObject): boolean {
  const { role, scopes, expires_at: end } = object;
  return (end === null || end === undefined) && (role === 'admin' || (Array.isArray(scopes) && scopes.includes('admin')));
}
