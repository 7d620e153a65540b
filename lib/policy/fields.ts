/**
 * What a policy may talk about: the enforcement points, the context fields of each, what type they have and, where only
 * certain words can stand in them, which. A name outside these tables is a mistake in the policy, never a field that
 * happens to be absent.
 */
import { actionKinds, fieldsOfKind } from '../base/action.ts';
import type { ActionKind, EnforcementPoint } from '../base/action.ts';

export type FieldType = 'string' | 'path' | 'number' | 'list';

/** Values of fields as a caller gave them, checked when a rule reads them. */
export type Context = Readonly<Record<string, unknown>>;

/** A context field. `words` closes its value set; `kinds` are the only kinds of action that carry it. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly read: (context: Context) => unknown;
  readonly words?: readonly string[];
  readonly kinds?: readonly ActionKind[];
}

export const enforcementPoints: readonly EnforcementPoint[] = ['pre_execution', 'pre_deployment', 'resource', 'data'];

const specificFields: readonly string[] = [...new Set(Object.values(fieldsOfKind).flat())];

/** One function a field: a property named in the code is read many times faster than one whose name is a value. */
const readers: Readonly<Record<string, (context: Context) => unknown>> = {
  kind: (context) => context['kind'], tool: (context) => context['tool'], command: (context) => context['command'],
  file_path: (context) => context['file_path'], url: (context) => context['url'], mcp_server: (context) => context['mcp_server'],
  mcp_tool: (context) => context['mcp_tool'], agent: (context) => context['agent'], project_dir: (context) => context['project_dir'],
  cwd: (context) => context['cwd'], active_agents: (context) => context['active_agents'], provider: (context) => context['provider'],
  branch: (context) => context['branch'], phase: (context) => context['phase'], tenant: (context) => context['tenant'],
  project: (context) => context['project'], actor: (context) => context['actor'], session_id: (context) => context['session_id'],
};

const types: Readonly<Record<string, FieldType>> = {
  file_path: 'path', project_dir: 'path', cwd: 'path', path: 'path',
  active_agents: 'number', tokens_consumed: 'number', cost_usd: 'number',
  passed_gates: 'list',
};

const names: Readonly<Record<EnforcementPoint, string>> = {
  pre_execution: 'kind tool command file_path url mcp_server mcp_tool agent project_dir cwd active_agents provider branch phase tenant project actor session_id',
  pre_deployment: 'passed_gates environment branch actor phase',
  resource: 'provider region model tokens_consumed cost_usd agent project session_id',
  data: 'content path tool direction',
};

function field(point: EnforcementPoint, name: string): Field {
  const base = { name, type: types[name] ?? 'string', read: readers[name] ?? ((context: Context): unknown => context[name]) };
  if (name === 'kind') return { ...base, words: actionKinds };
  if (name === 'direction') return { ...base, words: ['write', 'read', 'prompt'] };
  if (point !== 'pre_execution' || !specificFields.includes(name)) return base;
  return { ...base, kinds: actionKinds.filter((kind) => fieldsOfKind[kind].some((carried) => carried === name)) };
}

function fieldsAt(point: EnforcementPoint): ReadonlyMap<string, Field> {
  return new Map(names[point].split(' ').map((name) => [name, field(point, name)]));
}

/** The context fields of each enforcement point, by name. */
export const fieldsOfPoint: Readonly<Record<EnforcementPoint, ReadonlyMap<string, Field>>> = {
  pre_execution: fieldsAt('pre_execution'),
  pre_deployment: fieldsAt('pre_deployment'),
  resource: fieldsAt('resource'),
  data: fieldsAt('data'),
};

/** Whether text is one of the enforcement points. */
export function isEnforcementPoint(text: string): text is EnforcementPoint {
  return known.has(text);
}

const known: ReadonlySet<string> = new Set(enforcementPoints);
