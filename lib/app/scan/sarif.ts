/** What was found as SARIF 2.1.0 (OASIS), which code hosts show beside the lines. docs/formats/scan.md says which members are used. */
import { isAbsolute } from '../../base/paths.ts';
import { relativeTo } from './baseline.ts';
import type { Found } from './scan.ts';

const levels: Readonly<Record<Found['confidence'], string>> = { high: 'error', medium: 'warning', low: 'note' };
const schema = 'https://json.schemastore.org/sarif-2.1.0.json';

/** The log as a value. Paths are given from `root`, an absolute directory. */
export function sarifLog(found: readonly Found[], root: string, version: string): object {
  const rules = [...new Set(found.map(({ rule }) => rule))].sort();
  const types = new Map(found.map(({ rule, type }) => [rule, type]));
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [{
      tool: { driver: { name: 'loki scan', version, rules: rules.map((id) => ({ id, shortDescription: { text: describe(id, types.get(id)) }, properties: { tags: ['security', types.get(id)] } })) } },
      columnKind: 'utf16CodeUnits',
      originalUriBaseIds: { SRCROOT: { uri: `file://${encodePath(root)}/` } },
      results: found.map((each) => result(each, root, rules)),
    }],
  };
}

function describe(rule: string, type: Found['type'] | undefined): string {
  return `${type === 'pii' ? 'Personal data' : 'A secret'}: ${rule.replaceAll('-', ' ')}`;
}

function result({ path, rule, type, confidence, fingerprint, line, column, endLine, endColumn }: Found, root: string, rules: readonly string[]): object {
  return {
    ruleId: rule, ruleIndex: rules.indexOf(rule), level: levels[confidence],
    message: { text: `${describe(rule, type)} (${confidence} confidence)` },
    locations: [{
      physicalLocation: {
        artifactLocation: artifact(path, root),
        region: { startLine: line, startColumn: column, endLine, endColumn },
      },
    }],
    partialFingerprints: { 'lokiFinding/v1': fingerprint },
    properties: { confidence },
  };
}

/** Standard input has no path: it is `-`. */
function artifact(path: string, root: string): object {
  if (!isAbsolute(path)) return { uri: encodePath(path) };
  return path.startsWith(`${root}/`) ? { uri: encodePath(relativeTo(root, path)), uriBaseId: 'SRCROOT' } : { uri: `file://${encodePath(path)}` };
}

function encodePath(path: string): string {
  return path.split('/').map(encodeSegment).join('/');
}

/** A lone surrogate, which no URI can hold, becomes U+FFFD. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'));
}
