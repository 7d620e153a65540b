/** An entry as a line of CEF. */
import { cefMessage } from '../../formats/cef.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { mapEntry, type MappedEntry } from './mapping.ts';

/** Who makes the messages, in every format that asks. */
export const product = { vendor: 'Loki', name: 'Loki Enterprise' } as const;

/** Without a line end. Custom strings and numbers carry what CEF has no key for, and the seal. */
export function cefLine(entry: JsonObject): string {
  const mapped = mapEntry(entry);
  const { metadata } = mapped;
  return cefMessage({
    vendor: product.vendor, product: product.name, version: metadata.version, classId: mapped.event, name: mapped.name, severity: mapped.severity.cef,
    extension: [
      ['rt', mapped.time], ['externalId', mapped.seq], ['cat', mapped.category], ['act', mapped.decision], ['outcome', mapped.outcome],
      ['suser', mapped.actor], ['dvchost', metadata.hostname], ['spid', metadata.pid],
      ...actionFields(mapped), ['reason', mapped.reason], ['msg', mapped.message],
      ...labelled('cs1', 'chainHash', mapped.chainHash), ...labelled('cs2', 'rule', mapped.rule), ...labelled('cs3', 'session', metadata.session),
      ...labelled('cs4', 'project', metadata.project), ...labelled('cs5', 'resource', mapped.resource), ...labelled('cs6', 'tenant', metadata.tenant),
    ],
  });
}

type Field = readonly [key: string, value: string | number | undefined];

function labelled(key: string, label: string, value: string | undefined): readonly Field[] {
  return value === undefined || value === '' ? [] : [[`${key}Label`, label], [key, value]];
}

function actionFields({ action, details }: MappedEntry): readonly Field[] {
  const content = action?.['content'];
  const path = textOf(action?.['file_path']);
  return [
    ['sproc', textOf(action?.['command'])], ['request', textOf(action?.['url']) ?? textOf(details['path'])], ['filePath', path], ['fname', path?.slice(path.lastIndexOf('/') + 1)],
    ['fileHash', isObject(content) ? textOf(content['sha256']) : undefined],
  ];
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
