/** Carries out the shell examples of a page against a control plane in this process: `curl`, `jq -r`, variables, a cookie jar. For tests. */
import assert from 'node:assert/strict';
import type { HttpResponse } from '../../lib/base/http.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import type { Api } from '../../lib/server/api.ts';
import { port, send } from './api-kit.ts';
import { parseShell, type Pipeline, type Statement, type Word } from './shell-words.ts';

/** One that was carried out. */
export interface Called {
  readonly example: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly text: string;
}

export interface Examples {
  /** Carries out a block. Each `curl` must be answered with the status that its comment begins with, else with one of success. */
  run(block: string): Promise<readonly Called[]>;
}

/** `programs`: what other programs print, by the words that their command begins with. */
export function createExamples(api: Api, programs: Readonly<Record<string, () => string | Promise<string>>>): Examples {
  const variables = new Map<string, string>();
  const jar = new Map<string, string>();
  let called: Called[] = [];
  let expected: string | undefined;

  async function valueOf(word: Word): Promise<string> {
    let value = '';
    for (const part of word) {
      if ('text' in part) value += part.text;
      else if ('run' in part) value += (await outputOf(part.run)).trimEnd();
      else {
        assert.ok(variables.has(part.variable), `$${part.variable} is not set before it is used`);
        value += variables.get(part.variable) ?? '';
      }
    }
    return value;
  }

  async function outputOf(pipeline: Pipeline): Promise<string> {
    let output = '';
    for (const words of pipeline) {
      const values: string[] = [];
      for (const word of words) values.push(await valueOf(word));
      output = await programOf(values, output);
    }
    return output;
  }

  async function programOf(words: readonly string[], input: string): Promise<string> {
    const [program = '', ...rest] = words;
    if (program === 'curl') return curl(rest, input);
    if (program === 'echo') return rest.join(' ');
    if (program === 'jq' && rest[0] === '-r') return picked(input, rest[1] ?? '');
    if (program === 'grep') return input.split('\n').filter((line) => new RegExp(rest.at(-1) ?? '', 'i').test(line)).join('\n');
    if (program === 'cut') return input.split(rest[0]?.slice(2) ?? '')[Number(rest[1]?.slice(2)) - 1] ?? '';
    if (program === 'tr') return input.replaceAll('\r', '');
    const line = words.join(' ');
    const known = Object.keys(programs).find((name) => line.startsWith(name));
    assert.ok(known !== undefined, `nothing says what "${line}" prints`);
    return (await programs[known]?.()) ?? '';
  }

  async function curl(words: readonly string[], input: string): Promise<string> {
    const { target, method, headers, body, head, keeps, shows } = readCurl(words, input);
    const control = new AbortController();
    const cookies = shows ? [...jar].map(([name, value]) => `${name}=${value}`).join('; ') : '';
    const response = await send(api, target, { method, headers: { ...headers, ...(cookies === '' ? {} : { cookie: cookies }) }, signal: control.signal, ...(body === undefined ? {} : { body }) });
    const text = await textOf(response, control);
    if (keeps) for (const cookie of response.cookies ?? []) jar.set(cookie.slice(0, cookie.indexOf('=')), cookie.slice(cookie.indexOf('=') + 1).replace(/;.*/, ''));
    const example = words.join(' ');
    const fits = expected === undefined ? response.status < 300 : response.status === Number(expected);
    assert.ok(fits, `curl ${example}\nis answered ${response.status}, not ${expected ?? 'with success'}: ${text.slice(0, 500)}`);
    called.push({ example, method, target, status: response.status, text });
    return head ? Object.entries(response.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('') : text;
  }

  async function carryOut({ pipeline, comment }: Statement): Promise<void> {
    expected = /^\d{3}\b/.exec(comment)?.[0];
    const [first] = pipeline[0] ?? [];
    const name = first?.[0] !== undefined && 'text' in first[0] ? /^([A-Z_]+)=/.exec(first[0].text)?.[1] : undefined;
    if (name === undefined || first === undefined) return void await outputOf(pipeline);
    variables.set(name, (await valueOf(first)).slice(name.length + 1));
  }

  return {
    async run(block) {
      called = [];
      for (const statement of parseShell(block)) await carryOut(statement);
      return called;
    },
  };
}

interface Curl {
  readonly target: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly head: boolean;
  readonly keeps: boolean;
  readonly shows: boolean;
}

function readCurl(words: readonly string[], input: string): Curl {
  const given = new Map<string, string>();
  const headers: Record<string, string> = {};
  let address = '';
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) address = word;
    for (const letter of word.startsWith('-') ? word.slice(1) : '') {
      assert.match(letter, /[sSNIHXdbc]/, `-${letter} of curl is not known to this test`);
      const value = 'HXdbc'.includes(letter) ? words[at += 1] ?? '' : '';
      given.set(letter, value);
      if (letter === 'H') headers[value.slice(0, value.indexOf(':')).toLowerCase()] = value.slice(value.indexOf(':') + 1).trim();
    }
  }
  const { host, pathname, search } = new URL(address);
  assert.equal(host, `127.0.0.1:${port}`, address);
  const data = given.get('d');
  const body = data === '@-' ? input : data;
  return {
    target: pathname + search, method: given.get('X') ?? (given.has('I') ? 'HEAD' : body === undefined ? 'GET' : 'POST'), headers, ...(body === undefined ? {} : { body }),
    head: given.has('I'), keeps: given.has('c'), shows: given.has('b'),
  };
}

/** A stream that has no end by itself is left after its first part. */
async function textOf(response: HttpResponse, control: AbortController): Promise<string> {
  if (response.stream === undefined) return String(response.body ?? '');
  const isEndless = response.headers['Content-Type']?.startsWith('text/event-stream') === true;
  let text = '';
  for await (const part of response.stream) {
    text += String(part instanceof Uint8Array ? Buffer.from(part).toString('utf8') : part);
    if (isEndless) control.abort();
  }
  return text;
}

/** `.id`, `.data[0].id`. */
function picked(text: string, path: string): string {
  let value = JSON.parse(text) as JsonValue;
  for (const name of path.match(/[A-Za-z_]+|\d+/g) ?? []) value = (value as Readonly<Record<string, JsonValue>>)[name] as JsonValue;
  assert.equal(typeof value, 'string', `${path} of ${text.slice(0, 200)}`);
  return String(value);
}
