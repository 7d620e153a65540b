/**
 * What a YAML text is read into: a tree in which every node knows its place, so that whoever checks the meaning of a file
 * can point at the line that is wrong. Lines and columns count from 1; a column counts UTF-16 code units.
 */

export type YamlNode = YamlScalar | YamlMap | YamlSeq;

/** The types of the YAML 1.2 core schema (section 10.3). */
export type YamlPrimitive = string | number | boolean | null;

export type YamlStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

export interface YamlScalar {
  readonly kind: 'scalar';
  /** The value by the core schema; every quoted or block scalar is a string. */
  readonly value: YamlPrimitive;
  /** What was written, before a type was chosen: `1.10` for the number 1.1, `` for an absent value; else the string itself. */
  readonly text: string;
  readonly style: YamlStyle;
  readonly line: number;
  readonly column: number;
}

export interface YamlMap {
  readonly kind: 'map';
  /** In the order of the file. No two keys have the same text. */
  readonly entries: readonly YamlEntry[];
  readonly line: number;
  readonly column: number;
}

export interface YamlSeq {
  readonly kind: 'seq';
  readonly items: readonly YamlNode[];
  readonly line: number;
  readonly column: number;
}

/** One key and its value. The name of the key is `key.text`, as written: `1.10: x` has the name "1.10". */
export interface YamlEntry {
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

/** The plain value of a tree. A key `__proto__` becomes an own property, as `JSON.parse` makes it. */
export function valueOf(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value;
  return node.kind === 'seq' ? node.items.map(valueOf) : objectOf(node);
}

function objectOf(node: YamlMap): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { key, value } of node.entries) {
    if (key.text === '__proto__') Object.defineProperty(object, key.text, { value: valueOf(value), writable: true, enumerable: true, configurable: true });
    else object[key.text] = valueOf(value);
  }
  return object;
}
