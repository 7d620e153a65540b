/** What every command over the API begins with: where it talks to, the flags that say so, and ids that are looked at before anybody is asked. */
import { idPrefixes, isId, type IdKind } from '../../lib/base/ids.ts';
import { LokiError } from '../../lib/errors.ts';
import { openApi, type ApiAccess } from '../../lib/app/api/access.ts';
import type { Installation } from '../../lib/app/installation.ts';
import type { CommandContext, Exit, FlagRow, OperandRow } from '../command.ts';
import { open } from '../open.ts';
import { printable } from '../output.ts';
import type { Resource } from './resource.ts';

export const urlFlag: FlagRow = { name: 'url', kind: 'text', value: 'URL', summary: 'The control plane (LOKI_URL, where loki login was, or the one that runs here)' };

/** Of every command that changes something. */
export const dryRunFlag: FlagRow = { name: 'dry-run', kind: 'switch', summary: 'Change nothing; print the request that would be sent' };

export const apiExits: readonly Exit[] = [[4, 'no key, or one that may not'], [8, 'the control plane cannot be reached']];

export interface Opened {
  readonly installation: Installation;
  readonly access: ApiAccess;
}

export function openAccess(context: CommandContext): Opened {
  const installation = open(context);
  return { installation, access: openApi(installation, context.args.text('url'), context.terminal.signal) };
}

export function idOperand({ one, kind }: Pick<Resource, 'one' | 'kind'>): OperandRow {
  return { name: 'ID', summary: `The ${one}, ${idPrefixes[kind]}…`, required: true };
}

/** The operand ID. Throws `usage` for what cannot be one. */
export function wantedId({ args }: CommandContext, { one, kind }: Pick<Resource, 'one' | 'kind'>): string {
  return assertId(args.operand('ID') ?? '', kind, `find the ${one}`);
}

export function assertId(text: string, kind: IdKind, attempted: string): string {
  if (isId(kind, text)) return text;
  throw new LokiError('usage', { attempted, found: `"${printable(text.slice(0, 80))}" is no id of a ${kind}`, hint: `It has the form ${idPrefixes[kind]}01J8Z3T5C6D7E8F9G0H1J2K3M4` });
}

/** The project that is meant without being named: the one of the working directory, on this machine's own control plane alone. */
export function projectHere({ installation, access }: Opened): string | undefined {
  return access.isLocal ? installation.project?.id : undefined;
}
