/** What commands know of a kind of objects of the API: what it is called, how its lists look, what can be given for its members. Data alone. */
import type { IdKind } from '../../lib/base/ids.ts';
import type { JsonObject, JsonValue } from '../../lib/base/json.ts';
import type { FlagRow } from '../command.ts';
import type { Colour } from '../output.ts';

/** A column of a table. */
export interface Column {
  readonly title: string;
  cell(object: JsonObject): string;
  /** Gives way where the terminal is narrow. */
  readonly shrinks?: true;
  colour?(object: JsonObject): Colour | undefined;
}

/** A kind of objects. */
export interface Resource {
  /** `tenant`; its path and its commands are its plural. */
  readonly one: string;
  readonly many: string;
  readonly kind: IdKind;
  readonly columns: readonly Column[];
  /** One object in a few words, for questions and messages: `Payments (payments)`. */
  words(object: JsonObject): string;
}

/** A member that a flag of its name gives. */
export interface Member {
  readonly flag: FlagRow;
  readonly required?: true;
  /** The value of the member; the flag's own when left out. Throws `usage`. */
  read?(text: string, nowMs: number): JsonValue;
}

/** The member that a flag is named after: `--project-id` is `project_id`. */
export function memberOf({ name }: FlagRow): string {
  return name.replaceAll('-', '_');
}

/** A member as text; empty for null, an empty list and what is not there. */
export function textOf(object: JsonObject, member: string): string {
  const value = object[member];
  if (value === undefined || value === null) return '';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A column that shows a member as it is. */
export function column(title: string, member: string, shrinks?: 'shrinks'): Column {
  return { title, cell: (object) => textOf(object, member), ...(shrinks === undefined ? {} : { shrinks: true }) };
}

/** A column that shows a time (UTC) to the minute. */
export function timeColumn(title: string, member: string): Column {
  return { title, cell: (object) => textOf(object, member).slice(0, 16).replace('T', ' ') };
}
