/**
 * What is found in the store without a scan: runs, tasks, approvals, projects and keys, by whose they are, by project and by
 * status. An index is a row of data; drivers keep what it says in order of ids. Terms are made here and nowhere else, so that
 * a caller cannot misspell one, and a tenant's view can hold every question to its own tenant.
 */
import { isPlainObject } from '../base/json.ts';
import type { JsonValue } from '../base/json.ts';
import type { StoreKey } from './store.ts';

/** A way to find entries. `value` reads the entry's value, which costs something: ask for it last. */
export interface StoreIndex {
  readonly name: string;
  /** The terms under which an entry is found; none when it is not of this kind. */
  of(key: StoreKey, value: () => JsonValue): readonly string[];
}

/** The index and the term of one question: `store.listBy(...runTerms.status('failed'), { limit })`. */
export type StoreTerm = readonly [index: string, term: string];

type Kind = 'runs' | 'tasks' | 'approvals' | 'projects' | 'keys';
type Field = 'tenant' | 'project' | 'status';

/** By what each kind is found; the empty list finds all of it, of all tenants. */
const kinds: Readonly<Record<Kind, readonly (readonly Field[])[]>> = {
  runs: [[], ['status'], ['tenant'], ['tenant', 'project'], ['tenant', 'status'], ['tenant', 'project', 'status']],
  tasks: [[], ['status'], ['tenant'], ['tenant', 'project'], ['tenant', 'status'], ['tenant', 'project', 'status']],
  approvals: [[], ['status'], ['tenant'], ['tenant', 'project'], ['tenant', 'status'], ['tenant', 'project', 'status']],
  projects: [[], ['tenant']],
  keys: [[], ['tenant']],
};

/** What stands for the tenant of what belongs to the installation itself. No tenant has this id. */
const ownTenant = '-';

/** Parts two fields of a term. A field that holds it is found under no term. */
const separator = '\n';

const keyShape = /^(?:t\/([^/]+)\/)?([a-z]+)\/[^/]+$/;

/** The index table of the control plane. */
export const storeIndexes: readonly StoreIndex[] = Object.entries(kinds).flatMap(([kind, lists]) => lists.map((fields) => indexOf(kind, fields)));

/** Terms of one kind of object that has a project and a status. A tenant of null is the installation itself. */
export interface WorkTerms<Status extends string> {
  /** All there are, of all tenants. */
  readonly all: StoreTerm;
  /** Of all tenants. */
  status(status: Status): StoreTerm;
  tenant(tenant: string | null): StoreTerm;
  project(tenant: string | null, project: string): StoreTerm;
  tenantStatus(tenant: string | null, status: Status): StoreTerm;
  projectStatus(tenant: string | null, project: string, status: Status): StoreTerm;
}

export const runTerms: WorkTerms<string> = workTerms('runs');
export const taskTerms: WorkTerms<string> = workTerms('tasks');
export const approvalTerms: WorkTerms<string> = workTerms('approvals');
export const projectTerms: Pick<WorkTerms<string>, 'all' | 'tenant'> = workTerms('projects');
export const keyTerms: Pick<WorkTerms<string>, 'all' | 'tenant'> = workTerms('keys');

/**
 * The question as a tenant may ask it: about all tenants, or about nobody's, becomes about this one. Undefined for a question
 * about another tenant, to which the answer is nothing.
 */
export function withinTenant(tenantId: string, [index, term]: StoreTerm): StoreTerm | undefined {
  const [kind = '', ...fields] = index.split(' ');
  const values = term === '' ? [] : term.split(separator);
  if (fields[0] !== 'tenant') return [nameOf(kind, ['tenant', ...fields]), [tenantId, ...values].join(separator)];
  if (values[0] !== ownTenant && values[0] !== tenantId) return undefined;
  return [index, [tenantId, ...values.slice(1)].join(separator)];
}

function workTerms(kind: Kind): WorkTerms<string> {
  const term = (fields: readonly Field[], ...values: readonly string[]): StoreTerm => [nameOf(kind, fields), values.join(separator)];
  return {
    all: term([]),
    status: (status) => term(['status'], status),
    tenant: (tenant) => term(['tenant'], tenant ?? ownTenant),
    project: (tenant, project) => term(['tenant', 'project'], tenant ?? ownTenant, project),
    tenantStatus: (tenant, status) => term(['tenant', 'status'], tenant ?? ownTenant, status),
    projectStatus: (tenant, project, status) => term(['tenant', 'project', 'status'], tenant ?? ownTenant, project, status),
  };
}

function nameOf(kind: string, fields: readonly string[]): string {
  return [kind, ...fields].join(' ');
}

function indexOf(kind: string, fields: readonly Field[]): StoreIndex {
  return {
    name: nameOf(kind, fields),
    of(key, value) {
      const [, tenant = ownTenant, found] = keyShape.exec(key) ?? [];
      if (found !== kind) return [];
      const parts = fields.map((field) => (field === 'tenant' ? tenant : textAt(kind, value(), field)));
      return parts.every((part) => part !== undefined && !part.includes(separator)) ? [parts.join(separator)] : [];
    },
  };
}

const members: Readonly<Record<Exclude<Field, 'tenant'>, string>> = { project: 'project_id', status: 'status' };

/** An approval is kept with the state that is shown and the one that is not recorded yet: it is found by what is shown. */
function textAt(kind: string, value: JsonValue, field: Exclude<Field, 'tenant'>): string | undefined {
  const object = kind === 'approvals' && isPlainObject(value) ? value['shown'] : value;
  const text = isPlainObject(object) ? object[members[field]] : undefined;
  return typeof text === 'string' ? text : undefined;
}
