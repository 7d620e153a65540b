/** Tasks: pieces of work of a project, planned by an agent or put in by people. */
import type { EventName } from '../../audit/events.ts';
import { newId } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { taskStatuses, type TaskStatus } from '../../runs/task.ts';
import { taking, type ApiRequest, type ApiResponse, type Row } from '../message.ts';
import { objectKey, type Found } from '../objects.ts';
import { idOf, oneOf } from '../query.ts';
import { id, record } from '../shape.ts';
import * as shapes from '../shapes.ts';
import type { Services } from '../services.ts';
import { answerWith, change, changedMembers, list, one, timeRules } from './collections.ts';
import { requireProject } from './projects.ts';

const wish = record({ project_id: id('project'), title: shapes.title }, { description: shapes.description, status: shapes.taskStatus, priority: shapes.taskPriority });
const edit = record({}, { title: shapes.title, description: shapes.description, status: shapes.taskStatus, priority: shapes.taskPriority }, 'Members that are left out stay as they are');

/** What the log calls a task that comes into a status. */
const arrivals: Readonly<Record<TaskStatus, EventName>> = { pending: 'task.update', in_progress: 'task.start', completed: 'task.complete', failed: 'task.fail' };

export function taskRows(services: Services): readonly Row[] {
  const { clock, random, projects } = services;
  const now = (): string => new Date(clock.now()).toISOString();

  const create = taking(wish, async (request, { project_id, title, description = '', status = 'pending', priority = 'medium' }): Promise<ApiResponse> => {
    const project = await requireProject(request, projects, project_id);
    const taskId = newId('task', clock.now(), random.bytes(10));
    const at = now();
    const task: JsonObject = { id: taskId, project_id, title, description, status, priority, created_at: at, updated_at: at };
    const key = objectKey(project.tenant, 'task', taskId);
    const answer = answerWith({ key, value: task }, 201, undefined, `${request.path}/${taskId}`);
    await request.commit([{ key, revision: 0 }], [{ key, value: task }], answer);
    await request.changed('task.create', { tenant: project.tenant, projectId: project_id, resource: `task:${taskId}`, details: { title, status, priority } });
    return answer;
  });

  const update = taking(edit, async (request, members): Promise<ApiResponse> => {
    const { before, answer } = await change(request, 'task', ({ value }) => value, ({ value }) => ({ ...value, ...members, updated_at: now() }));
    await told(request, before, members.status === undefined || members.status === before.value['status'] ? 'task.update' : arrivals[members.status], changedMembers(before, members));
    return answer;
  });

  return [
    {
      method: 'GET', path: '/tasks', operation: 'tasks.list', summary: 'Tasks, in the order they were made', scope: 'read', paged: true, query: { project_id: idOf('project'), status: oneOf(taskStatuses), ...timeRules },
      answer: { status: 200, about: 'Tasks', shape: shapes.task }, handle: list({ kind: 'task', newestFirst: false }),
    },
    { method: 'POST', path: '/tasks', operation: 'tasks.create', summary: 'Puts a task into a project', scope: 'write', keyed: 'commit', records: ['task.create'], answer: { status: 201, about: 'The task', shape: shapes.task }, ...create },
    { method: 'GET', path: '/tasks/:id', operation: 'tasks.get', summary: 'One task', scope: 'read', params: { id: 'task' }, answer: { status: 200, about: 'The task', shape: shapes.task }, handle: one('task') },
    {
      method: 'PUT', path: '/tasks/:id', operation: 'tasks.update', summary: 'Changes members of a task', scope: 'write', params: { id: 'task' }, keyed: 'commit', records: ['task.update', 'task.start', 'task.complete', 'task.fail'],
      answer: { status: 200, about: 'The task as it now is', shape: shapes.task }, ...update,
    },
    {
      method: 'DELETE', path: '/tasks/:id', operation: 'tasks.delete', summary: 'Removes a task', scope: 'write', params: { id: 'task' }, keyed: 'commit', records: ['task.update'], answer: { status: 204, about: 'It is gone' },
      async handle(request) {
        const { before, answer } = await change(request, 'task', ({ value }) => value, () => undefined);
        await told(request, before, 'task.update', { removed: true });
        return answer;
      },
    },
  ];
}

async function told(request: ApiRequest, { tenant, value }: Found, event: EventName, details: JsonObject): Promise<void> {
  await request.changed(event, { tenant, projectId: String(value['project_id']), resource: `task:${String(value['id'])}`, details: { title: value['title'] ?? null, ...details } });
}
