/** `loki tenants …`. */
import type { Commands } from '../command.ts';
import { getCommand } from '../objects/get.ts';
import { listCommand } from '../objects/list.ts';
import { column, textOf, timeColumn, type Member, type Resource } from '../objects/resource.ts';
import { createCommand, removeCommand, updateCommand } from '../objects/write.ts';

const tenant: Resource = {
  one: 'tenant', many: 'tenants', kind: 'tenant', words: (object) => `${textOf(object, 'name')} (${textOf(object, 'slug')}, ${textOf(object, 'id')})`,
  columns: [column('ID', 'id'), column('SLUG', 'slug', 'shrinks'), column('NAME', 'name', 'shrinks'), timeColumn('CREATED', 'created_at'), column('DESCRIPTION', 'description', 'shrinks')],
};

const id = 'tnt_01J8Z3T5C6D7E8F9G0H1J2K3M4';

const name: Member = { flag: { name: 'name', kind: 'text', value: 'NAME', summary: 'What people call it' } };
const slug: Member = { flag: { name: 'slug', kind: 'text', value: 'SLUG', summary: 'What it is called in addresses: a-z, 0-9 and -' } };
const description: Member = { flag: { name: 'description', kind: 'text', value: 'TEXT', summary: 'What it is for' } };

export const commands: Commands<'list' | 'get' | 'create' | 'update' | 'delete'> = {
  list: listCommand(tenant, { about: 'Lists the tenants: all of them for administrators of the installation, else one\'s own.', filters: [], examples: [['loki tenants list', ''], ['loki tenants list --all --json', 'every one, as an array']] }),
  get: getCommand(tenant, { about: 'Shows one tenant.', examples: [[`loki tenants get ${id}`, '']] }),
  create: createCommand(tenant, {
    about: 'Makes a tenant. Its projects, runs, keys and entries are kept apart from everybody else\'s. For administrators of the installation.',
    members: [{ ...name, required: true }, { ...slug, required: true }, description],
    examples: [['loki tenants create --name Payments --slug payments', ''], ['loki tenants create --name Payments --slug payments --dry-run', 'only shows the request']],
  }),
  update: updateCommand(tenant, { about: 'Changes members of a tenant.', members: [name, slug, description], examples: [[`loki tenants update ${id} --name "Payments EU"`, '']] }),
  delete: removeCommand(tenant, { about: 'Removes a tenant that has no projects and no keys that count.', examples: [[`loki tenants delete ${id}`, 'shows it, and asks'], [`loki tenants delete ${id} --yes`, '']] }),
};
