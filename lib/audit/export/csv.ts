/** Entries as rows of a table. Details are one cell of JSON; the last cell is the seal, which says what the row was. */
import { csvRow } from '../../formats/csv.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { mapEntry, type MappedEntry } from './mapping.ts';

type Column = readonly [name: string, cell: (mapped: MappedEntry) => string | number | undefined];

const columns: readonly Column[] = [
  ['seq', ({ seq }) => seq],
  ['timestamp', ({ timestamp }) => timestamp],
  ['event', ({ event }) => event],
  ['name', ({ name }) => name],
  ['level', ({ level }) => level],
  ['outcome', ({ outcome }) => outcome],
  ['actor', ({ actor }) => actor],
  ['resource', ({ resource }) => resource],
  ['decision', ({ decision }) => decision],
  ['rule', ({ rule }) => rule],
  ['reason', ({ reason }) => reason],
  ['action_kind', ({ action }) => textOf(action?.['kind'])],
  ['action_target', ({ action }) => ['command', 'file_path', 'url', 'mcp_tool', 'agent', 'tool'].map((member) => textOf(action?.[member])).find((each) => each !== undefined)],
  ['tenant_id', ({ metadata }) => metadata.tenant],
  ['project_id', ({ metadata }) => metadata.project],
  ['session_id', ({ metadata }) => metadata.session],
  ['hostname', ({ metadata }) => metadata.hostname],
  ['pid', ({ metadata }) => metadata.pid],
  ['version', ({ metadata }) => metadata.version],
  ['details', ({ details }) => JSON.stringify(details)],
  ['chain_hash', ({ chainHash }) => chainHash],
];

export const csvHeader: string = csvRow(columns.map(([name]) => name));

/** `raw`: cells that a spreadsheet would take for a formula are left as they are. */
export function csvLine(entry: JsonObject, raw: boolean): string {
  const mapped = mapEntry(entry);
  return csvRow(columns.map(([, cell]) => cell(mapped)), raw);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
