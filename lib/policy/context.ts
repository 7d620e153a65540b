/**
 * Contexts that people and pipelines write: a field that the enforcement point does not have, or a value of another type, is a
 * mistake with the word that was meant. A rule would deny for want of the field that was mistyped, or worse, not be asked.
 */
import { didYouMean } from '../base/suggest.ts';
import type { EnforcementPoint } from '../base/action.ts';
import { fieldsOfPoint, type Context, type Field, type FieldType } from './fields.ts';

/** Something wrong with a field of a context; its value is not told, since it may be a secret. */
export interface ContextMistake {
  readonly field: string;
  readonly message: string;
}

const mostMistakes = 100;

const wanted: Readonly<Record<FieldType, string>> = { string: 'text', path: 'a path as text', number: 'a number', list: 'a list of texts' };

/** What is wrong with a context; a field that is null counts as left out. */
export function contextMistakes(context: Context, point: EnforcementPoint): readonly ContextMistake[] {
  const fields = fieldsOfPoint[point];
  return Object.entries(context).flatMap(([name, value]): readonly ContextMistake[] => {
    const field = fields.get(name);
    if (field === undefined) return [{ field: name, message: `"${name.slice(0, 80)}" is not a field of ${point}${didYouMean(name, fields.keys())}` }];
    const message = value === null ? undefined : typeMistake(field, value);
    return message === undefined ? [] : [{ field: name, message }];
  }).slice(0, mostMistakes);
}

function typeMistake({ name, type, words }: Field, value: unknown): string | undefined {
  if (!hasType(value, type)) return `${name} must be ${wanted[type]}, not ${described(value)}`;
  if (words === undefined || typeof value !== 'string' || words.includes(value)) return undefined;
  return `"${value.slice(0, 80)}" is no ${name}${didYouMean(value, words)}; known: ${words.join(', ')}`;
}

function described(value: unknown): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'such a list' : 'a mapping';
  return typeof value === 'number' && !Number.isFinite(value) ? 'an endless one' : `a ${typeof value}`;
}

function hasType(value: unknown, type: FieldType): boolean {
  if (type === 'list') return Array.isArray(value) && value.every((item) => typeof item === 'string');
  return type === 'number' ? typeof value === 'number' && Number.isFinite(value) : typeof value === 'string';
}
