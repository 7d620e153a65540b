import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LokiError } from '../../../lib/errors.ts';
import { parseYaml, parseYamlNode } from '../../../lib/formats/yaml/parse.ts';
import { printYaml } from '../../../lib/formats/yaml/print.ts';
import { forAll } from '../../support/property.ts';
import type { Draw } from '../../support/property.ts';

/** Pieces that YAML cares about, so that random texts come near its edges. */
const pieces = [
  ' ', '  ', '\n', '\n\n', '\t', ': ', ':', '- ', '-', '? ', '#', ' #', ',', '[', ']', '{', '}', '"', "'", '\\', '\\u00e9', '|', '>', '|-', '>+', '|2', '&a', '*a', '!!str ',
  '---', '...', '\n---\n', '%', '@', '`', '<<', '=', 'a', 'key', 'null', 'true', 'no', '0', '-1', '1e3', '0x1F', '0o7', '.inf', '~', '1_000', '2001-01-01', '\r\n', '\r', '\u0007', '\u0085', '\u2028',
  '\ufeff', 'é', '☃', '😀', '\ud800', '\u007f', '__proto__', 'constructor',
] as const;

function text(draw: Draw, most: number = 6): string {
  return draw.list(0, most, () => draw.pick(pieces)).join('');
}

function primitive(draw: Draw): unknown {
  switch (draw.integer(0, 7)) {
    case 0: return null;
    case 1: return draw.chance(0.5);
    case 2: return draw.integer(-1000, 1000);
    case 3: return (draw.fraction() - 0.5) * 10 ** draw.integer(-320, 308);
    case 4: return draw.pick([0, -0, 1e21, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 60, 0.1]);
    default: return text(draw);
  }
}

function value(draw: Draw, depth: number = 0): unknown {
  if (depth > 4 || draw.chance(0.4)) return primitive(draw);
  if (draw.chance(0.5)) return draw.list(0, 4, () => value(draw, depth + 1));
  return Object.fromEntries(draw.list(0, 4, () => [text(draw, 3), value(draw, depth + 1)]));
}

/** The value, or the refusal; any other error fails the test. */
function read(source: string): { value: unknown } | { refused: LokiError } {
  try {
    return { value: parseYaml(source) };
  } catch (error) {
    if (error instanceof LokiError && error.code === 'yaml.invalid') return { refused: error };
    throw error;
  }
}

test('every printed value reads back as the same value', () => {
  forAll({ runs: 3000 }, (draw) => value(draw), (original) => {
    assert.deepStrictEqual(parseYaml(printYaml(original)), original);
  });
});

test('printing again what was read gives the same text', () => {
  forAll({ runs: 1000 }, (draw) => printYaml(value(draw)), (printed) => assert.equal(printYaml(parseYaml(printed)), printed));
});

test('JSON texts read as JSON.parse reads them, compact and indented, with tabs too', () => {
  forAll({ runs: 2000 }, (draw) => JSON.stringify(value(draw), null, draw.pick(['', 1, 2, '\t'])), (json) => {
    assert.deepStrictEqual(parseYaml(json), JSON.parse(json));
  });
});

/** White space and forms that JSON.stringify never writes. */
function looseJson(draw: Draw, depth: number = 0): string {
  const space = (): string => draw.list(0, 2, () => draw.pick([' ', '\t', '\n', '\r\n', '\r', '  '])).join('');
  const string = (): string => `"${draw.list(0, 5, () => draw.pick(['a', ' ', ':', '#', ',', '\\"', '\\\\', '\\/', '\\n', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\udc00x', '\\u0000', 'é', '\u007f', '\u0085', '\u2028', '\ufeff', '---', '...', '%'])).join('')}"`;
  if (depth > 4 || draw.chance(0.4)) {
    return draw.pick([string(), 'true', 'false', 'null', '0', '-0', '1.50', '-1e5', '1E+2', '12345678901234567890', '1e999', '0.1e-7', '9007199254740993']);
  }
  if (draw.chance(0.5)) return `[${space()}${draw.list(0, 4, () => looseJson(draw, depth + 1) + space()).join(`,${space()}`)}]`;
  let count = 0;
  const member = (): string => `"${(count += 1)}${string().slice(1)}${space()}:${space()}${looseJson(draw, depth + 1)}${space()}`;
  return `{${space()}${draw.list(0, 4, member).join(`,${space()}`)}}`;
}

test('JSON texts with any white space, escapes and numbers read as JSON.parse reads them', () => {
  forAll({ runs: 2000 }, (draw) => looseJson(draw), (json) => assert.deepStrictEqual(parseYaml(json), JSON.parse(json)));
});

test('random texts are read or refused with a place inside the text, and read the same a second time', () => {
  forAll({ runs: 6000 }, (draw) => text(draw, 14), (source) => {
    const first = read(source);
    if ('refused' in first) {
      const lines = source.split(/\r\n?|\n/);
      const { line = 0, column = 0 } = first.refused;
      assert.ok(line >= 1 && line <= lines.length + 1, `line ${line}`);
      assert.ok(column >= 1 && column <= (lines[line - 1] ?? '').length + 1, `column ${column}: ${first.refused.message}`);
      assert.ok(first.refused.problems.every((problem) => (problem.hint ?? '') !== '' && (problem.excerpt ?? '').includes('^')));
      return;
    }
    assert.deepStrictEqual(parseYaml(printYaml(first.value)), first.value);
  });
});

test('damaged documents never crash the reader', () => {
  const damage = (draw: Draw): string => {
    let source = draw.chance(0.5) ? printYaml(value(draw)) : JSON.stringify(value(draw), null, 2);
    for (let count = draw.integer(1, 3); count > 0; count -= 1) {
      const at = draw.integer(0, source.length);
      source = source.slice(0, at) + draw.pick([...pieces, '']) + source.slice(at + draw.integer(0, 3));
    }
    return source;
  };
  forAll({ runs: 4000 }, damage, (source) => {
    read(source);
  });
});

test('CR LF and CR line ends read as LF', () => {
  forAll({ runs: 500 }, (draw) => printYaml(value(draw)), (printed) => {
    assert.deepStrictEqual(parseYaml(printed.replaceAll('\n', '\r\n')), parseYaml(printed));
    assert.deepStrictEqual(parseYaml(printed.replaceAll('\n', '\r')), parseYaml(printed));
  });
});

test('every node of a tree stands where it says', () => {
  forAll({ runs: 500 }, (draw) => printYaml(value(draw)), (printed) => {
    const lines = printed.split('\n');
    const visit = (node: ReturnType<typeof parseYamlNode>): void => {
      const rest = (lines[node.line - 1] ?? '').slice(node.column - 1);
      if (node.kind === 'seq') {
        assert.match(rest, /^(?:-|\[)/);
        node.items.forEach(visit);
      } else if (node.kind === 'map') {
        for (const entry of node.entries) {
          visit(entry.key);
          visit(entry.value);
        }
      } else {
        const starts = { plain: node.text, double: '"', single: "'", literal: '|', folded: '>' };
        assert.ok(rest.startsWith(starts[node.style]), `${node.style} at ${node.line}:${node.column}`);
      }
    };
    visit(parseYamlNode(printed));
  });
});

test('a line that is read at once is read as it is with a blank behind it, which is not', () => {
  const pieces = ['a: b', 'a: true', 'null: ~', "key: 'x: # y'", 'k-1: "it\'s"', '- a: b', '- c', 'd:', 'e: f g', '  more', '', "g: 'h'", "  i: ''", '    j: k', '# note', '---', '\tx'];
  const read = (text: string): unknown => {
    try {
      return parseYamlNode(text);
    } catch (error) {
      assert.ok(error instanceof LokiError);
      return error.problems.map(({ message, line, column }) => [message, line, column]);
    }
  };
  forAll({ runs: 3000 }, (draw) => Array.from({ length: draw.integer(1, 8) }, () => `${' '.repeat(draw.integer(0, 2))}${pieces[draw.integer(0, pieces.length - 1)] ?? ''}`), (lines) => {
    const plain = `${lines.join('\n')}\n`;
    assert.deepEqual(read(plain), read(plain.replace(/(?<=\S)\n/g, ' \n')));
  });
});
