/** `loki tasks …`. */
import { taskPriorities, taskStatuses } from '../../lib/runs/task.ts';
import type { Commands } from '../command.ts';
import type { Colour } from '../output.ts';
import { projectHere } from '../objects/access.ts';
import { getCommand } from '../objects/get.ts';
import { listCommand } from '../objects/list.ts';
import { since } from '../objects/members.ts';
import { column, textOf, type Member, type Resource } from '../objects/resource.ts';
import { createCommand, removeCommand, updateCommand } from '../objects/write.ts';

const colours: Readonly<Record<string, Colour>> = { in_progress: 'cyan', completed: 'green', failed: 'red' };

const task: Resource = {
  one: 'task', many: 'tasks', kind: 'task', words: (object) => `${textOf(object, 'title')} (${textOf(object, 'id')})`,
  columns: [
    column('ID', 'id'), { ...column('STATUS', 'status'), colour: (object) => colours[textOf(object, 'status')] }, column('PRIORITY', 'priority'),
    column('PROJECT', 'project_id', 'shrinks'), column('TITLE', 'title', 'shrinks'),
  ],
};

const id = 'tsk_01J8Z3T5C6D7E8F9G0H1J2K3M4';
const projectId = 'prj_01J8Z3T5C6D7E8F9G0H1J2K3M4';

const title: Member = { flag: { name: 'title', kind: 'text', value: 'TEXT', summary: 'What is to be done' } };
const description: Member = { flag: { name: 'description', kind: 'text', value: 'TEXT', summary: 'The same at length' } };
const status: Member = { flag: { name: 'status', kind: 'text', value: 'STATUS', summary: 'How far it is', choices: taskStatuses } };
const priority: Member = { flag: { name: 'priority', kind: 'text', value: 'PRIORITY', summary: 'How much it matters', choices: taskPriorities } };
const project: Member = { flag: { name: 'project-id', kind: 'text', value: 'ID', summary: 'The project' } };

/** Bounds of when objects were made. */
export const timeFilters: readonly Member[] = [
  { flag: { name: 'start', kind: 'text', value: 'TIME', summary: 'Made then or later: 2026-02-01, 2026-02-01T10:00:00Z, or 24h ago' }, read: since },
  { flag: { name: 'end', kind: 'text', value: 'TIME', summary: 'Made then or before' }, read: since },
];

/** In which order they come. */
export const orderFilter: Member = { flag: { name: 'order', kind: 'text', value: 'ORDER', summary: 'The oldest first, or the newest', choices: ['asc', 'desc'] } };

export const commands: Commands<'list' | 'get' | 'create' | 'update' | 'delete'> = {
  list: listCommand(task, {
    about: 'Lists tasks, the oldest first.', newestFirst: { order: 'desc' },
    filters: [{ flag: { ...project.flag, summary: 'Those of this project (all; with --project DIR those of that one)' } }, { flag: { ...status.flag, summary: 'Those with this status' } }, ...timeFilters, orderFilter],
    examples: [['loki tasks list --status pending', ''], [`loki tasks list --project-id ${projectId} --all --json`, ''], ['loki tasks list --watch', 'and what changes']],
  }),
  get: getCommand(task, { about: 'Shows one task.', examples: [[`loki tasks get ${id}`, '']] }),
  create: createCommand(task, {
    about: 'Puts a task into a project: the one of the working directory unless --project-id names another.',
    members: [{ ...project, required: true }, { ...title, required: true }, description, status, priority],
    complete(opened) {
      const here = projectHere(opened);
      return here === undefined ? {} : { project_id: here };
    },
    examples: [['loki tasks create --title "Add a login page" --priority high', 'in the project here'], [`loki tasks create --project-id ${projectId} --title "Add a login page"`, '']],
  }),
  update: updateCommand(task, { about: 'Changes members of a task.', members: [title, description, status, priority], examples: [[`loki tasks update ${id} --status completed`, '']] }),
  delete: removeCommand(task, { about: 'Removes a task.', examples: [[`loki tasks delete ${id} --yes`, '']] }),
};
