/** `loki projects …`. */
import type { Commands } from '../command.ts';
import { getCommand } from '../objects/get.ts';
import { listCommand } from '../objects/list.ts';
import { column, textOf, timeColumn, type Member, type Resource } from '../objects/resource.ts';
import { createCommand, removeCommand, updateCommand } from '../objects/write.ts';

const project: Resource = {
  one: 'project', many: 'projects', kind: 'project', words: (object) => `${textOf(object, 'name')} (${textOf(object, 'id')})`,
  columns: [column('ID', 'id'), column('NAME', 'name', 'shrinks'), column('TENANT', 'tenant_id', 'shrinks'), column('PATH', 'path', 'shrinks'), timeColumn('CREATED', 'created_at')],
};

const id = 'prj_01J8Z3T5C6D7E8F9G0H1J2K3M4';

const name: Member = { flag: { name: 'name', kind: 'text', value: 'NAME', summary: 'What people call it' } };
const description: Member = { flag: { name: 'description', kind: 'text', value: 'TEXT', summary: 'What it is for' } };
const path: Member = { flag: { name: 'path', kind: 'text', value: 'DIR', summary: 'Its directory on the machine of the control plane, in full: runs may then work there. For administrators of the installation' } };
const tenant: Member = { flag: { name: 'tenant-id', kind: 'text', value: 'ID', summary: 'The tenant it belongs to (the key\'s own)' } };

export const commands: Commands<'list' | 'get' | 'create' | 'update' | 'delete'> = {
  list: listCommand(project, {
    about: 'Lists the projects, those that people enrolled on the machine of the control plane among them.', filters: [],
    examples: [['loki projects list', ''], ['loki projects list --watch', 'and what changes']],
  }),
  get: getCommand(project, { about: 'Shows one project.', examples: [[`loki projects get ${id} --json`, '']] }),
  create: createCommand(project, {
    about: 'Makes a project. With --path its directory is registered: runs may work there, and what is decided there is filed under its tenant.',
    members: [{ ...name, required: true }, description, path, tenant],
    examples: [['loki projects create --name shop --path /srv/shop', ''], ['loki projects create --name shop --tenant-id tnt_01J8Z3T5C6D7E8F9G0H1J2K3M4', 'without a directory']],
  }),
  update: updateCommand(project, { about: 'Changes members of a project.', members: [name, description], examples: [[`loki projects update ${id} --name "Shop, EU"`, '']] }),
  delete: removeCommand(project, { about: 'Removes a project. One that is enrolled, or has runs that go on, is not removed.', examples: [[`loki projects delete ${id}`, 'shows it, and asks']] }),
};
