/** docs/otel-collector.md names what there is: parts that its pipelines use, metrics, spans and attributes. Its queries are read by their own languages in test/interop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainObject } from '../../lib/base/json.ts';
import { table } from '../../lib/config/config.ts';
import { parseYaml } from '../../lib/entry/yaml.ts';
import { metricNames } from '../../lib/telemetry/metric-names.ts';
import { attribute } from '../../lib/telemetry/names.ts';
import { variableNames } from '../../lib/telemetry/variables.ts';
import { blocks, page } from '../support/page.ts';

const name = 'docs/otel-collector.md';
type Section = Readonly<Record<string, unknown>>;

const section = (value: unknown, key: string): Section => {
  const found = isPlainObject(value) ? value[key] : undefined;
  return isPlainObject(found) ? found : {};
};

test('a collector has every part that its pipelines use, and uses every part that it has', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const [first = ''] = blocks(text, 'yaml');
  const config: unknown = parseYaml(first);
  const service = section(config, 'service');
  const pipelines = Object.values(section(service, 'pipelines')).filter(isPlainObject);
  const used = (kind: string): readonly unknown[] => [...new Set(pipelines.flatMap((pipeline) => pipeline[kind]))].sort();
  for (const kind of ['receivers', 'processors', 'exporters']) assert.deepEqual(used(kind), Object.keys(section(config, kind)).sort(), kind);
  assert.deepEqual(service['extensions'], Object.keys(section(config, 'extensions')));
  assert.deepEqual(Object.keys(section(service, 'pipelines')), ['traces', 'metrics', 'logs']);
  const told = JSON.stringify(config);
  for (const extension of Object.keys(section(config, 'extensions'))) assert.ok(told.includes(`"authenticator":"${extension}"`) || told.includes(`"storage":"${extension}"`), `${extension} is asked for`);
});

test('the others are YAML, and sample by attributes that spans have', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const configs = blocks(text, 'yaml').map((block) => parseYaml(block));
  assert.ok(configs.length >= 5);
  const { policies } = section(section(configs.find((config) => 'tail_sampling' in section(config, 'processors')), 'processors'), 'tail_sampling') as { readonly policies?: readonly Section[] };
  const keys = (policies ?? []).flatMap((policy) => section(policy, 'string_attribute')['key'] ?? []);
  assert.deepEqual(keys, [attribute.decision, attribute.approvalStatus]);
  for (const policy of policies ?? []) assert.ok(isPlainObject(policy[String(policy['type'])]), `${String(policy['name'])} has what its type asks for`);
});

test('queries name metrics and attributes that there are', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const named = [...blocks(text, 'promql'), ...blocks(text, 'yaml')].join('\n').match(/\bloki_[a-z_]+/g) ?? [];
  const known = new Set(Object.entries(metricNames).flatMap(([metric, { kind }]) => (kind === 'histogram' ? [`${metric}_bucket`] : [metric])));
  assert.ok(named.length >= 12);
  assert.deepEqual(named.filter((metric) => !known.has(metric)), []);
  const attributes = new Set<string>(Object.values(attribute));
  const spans = blocks(text, 'traceql').join('\n').match(/(?<=span\.)[a-z_.]+/g) ?? [];
  assert.deepEqual(spans.filter((one) => !attributes.has(one)), []);
  const labels = new Set([...attributes].map((one) => one.replaceAll('.', '_')));
  const records = blocks(text, 'logql').join('\n').match(/\bloki_[a-z_]+/g) ?? [];
  assert.deepEqual(records.filter((one) => !labels.has(one)), []);
});

test('labels in queries are ones that the metric has', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  for (const [, metric = '', label = ''] of blocks(text, 'promql').join('\n').matchAll(/\b(loki_[a-z_]+)\{([a-z]+)=/g)) {
    const { labels } = metricNames[metric as keyof typeof metricNames];
    assert.ok((labels as readonly string[]).includes(label), `${metric} has ${label}`);
  }
});

test('what senders are told to set is read', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const ours = blocks(text, 'yaml').map((block) => section(section(parseYaml(block), 'enterprise'), 'telemetry')).find((one) => 'endpoint' in one) ?? {};
  const keys = new Set(table.map(({ key }) => key));
  assert.deepEqual(Object.keys(ours).filter((key) => !keys.has(`enterprise.telemetry.${key}`)), []);
  const named = /## One that you can start from([^]*?)^## /m.exec(text)?.[1]?.match(/\bOTEL_[A-Z_]+/g) ?? [];
  assert.ok(named.length >= 2);
  assert.deepEqual(named.filter((variable) => !variableNames.includes(variable)), []);
});
