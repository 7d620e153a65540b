/** A task: one piece of work that the agent planned, or a person put in (contract section 6). */
import type { JsonValue } from '../base/json.ts';

export const taskStatuses = ['pending', 'in_progress', 'completed', 'failed'] as const;
export const taskPriorities = ['low', 'medium', 'high', 'critical'] as const;

export type TaskStatus = (typeof taskStatuses)[number];
export type TaskPriority = (typeof taskPriorities)[number];

export interface Task {
  readonly id: string;
  readonly project_id: string;
  readonly title: string;
  readonly description: string;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Store keys of tasks. */
export const taskKeys = {
  task: (id: string): string => `tasks/${id}`,
  tasks: 'tasks/',
} as const;

/** The value a store keeps. */
export function taskValue(task: Task): JsonValue {
  return { ...task };
}
