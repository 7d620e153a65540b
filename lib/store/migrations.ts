/**
 * What the stored objects mean, as a number: the schema. A release that keeps objects in another way raises it and adds a
 * migration, which rewrites what is there when the store is first opened. Data of a newer release is refused before anything
 * is written, for whoever does not know what it means would lose it.
 */
import { LokiError } from '../errors.ts';
import type { JsonValue } from '../base/json.ts';
import { storeFormat } from './format.ts';
import type { StoreChange, StoreKey } from './store.ts';

/** One step of the schema. */
export interface Migration {
  /** The schema it leads to, from the one before. */
  readonly to: number;
  /** What it does, for the log and for people: `tasks get a priority`. */
  readonly what: string;
  /** What an object becomes: changes that replace it. None leaves it as it is. Called once for each object, in key order. */
  apply(key: StoreKey, value: JsonValue): readonly StoreChange[];
}

/** Every migration there is, in order. The first schema is 1. */
export const migrations: readonly Migration[] = [];

/** The schema that a list of migrations leads to. */
export function schemaAfter(list: readonly Migration[]): number {
  return list.at(-1)?.to ?? 1;
}

/** Throws `store.newer` for files in a format that this release does not know. */
export function assertKnown({ format }: { readonly format: number }): void {
  if (format <= storeFormat) return;
  throw newer(`its files have format ${format}; this release reads formats up to ${storeFormat}`);
}

/** Throws `store.newer` when objects are kept by a schema that this release does not know. */
export function assertSchemaKnown(schema: number, known: number): void {
  if (schema <= known) return;
  throw newer(`its objects have schema ${schema}; this release knows schemas up to ${known}`);
}

function newer(found: string): LokiError {
  return new LokiError('store.newer', { attempted: 'read the store', found });
}
