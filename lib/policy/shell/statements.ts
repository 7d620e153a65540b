/**
 * What clients of databases are told: each statement as `client < STATEMENT`, in capitals and with single blanks. A change
 * without a condition is written with the one it has, `WHERE TRUE`, so that a pattern can tell it from one that names its rows.
 */
import type { Word } from './tree.ts';

/** Clients, and the options whose value is a statement. The operands of the others are statements themselves. */
const clients: ReadonlyMap<string, RegExp | 'operands'> = new Map<string, RegExp | 'operands'>([
  ['psql', /^(?:-[A-Za-z]*c|--command)$/], ['cockroach', /^(?:-e|--execute)$/], ['mysql', /^(?:-[A-Za-z]*e|--execute)$/], ['mariadb', /^(?:-[A-Za-z]*e|--execute)$/], ['clickhouse-client', /^(?:-q|--query)$/], ['clickhouse', /^(?:-q|--query)$/],
  ['sqlcmd', /^-[qQ]$/], ['snowsql', /^(?:-q|--query)$/], ['bq', 'operands'], ['duckdb', 'operands'], ['sqlite3', 'operands'], ['sqlite', 'operands'], ['redis-cli', 'operands'], ['valkey-cli', 'operands'], ['mongo', /^--eval$/], ['mongosh', /^--eval$/], ['cqlsh', /^(?:-e|--execute)$/], ['influx', /^-execute$/],
]);

const mostStatements = 32;

export function isDatabaseClient(program: string): boolean {
  return clients.has(program);
}

/** The statements in a client's words and in what it reads. */
export function statementsOf(program: string, words: readonly Word[], input: readonly string[]): readonly string[] {
  const told = clients.get(program);
  if (told === undefined) return [];
  const texts = [...input];
  if (told === 'operands') {
    const operands = words.filter(({ text }, at) => !text.startsWith('-') && !(program.endsWith('-cli') && /^-[hpanu]$/.test(words[at - 1]?.text ?? ''))).map(({ text }) => text);
    texts.push(...(program.endsWith('-cli') ? [operands.join(' ')] : operands.slice(program.startsWith('sqlite') || program === 'duckdb' ? 1 : 0)));
  } else for (const [at, { text }] of words.entries()) {
    const sign = text.startsWith('--') ? text.indexOf('=') : -1;
    if (sign > 0 && told.test(text.slice(0, sign))) texts.push(text.slice(sign + 1));
    else if (told.test(text)) texts.push(words[at + 1]?.text ?? '');
    else if (/^-[ce]./.test(text) && told.test(text.slice(0, 2))) texts.push(text.slice(2));
  }
  return texts.flatMap((text) => text.length > 16 * 1024 ? [] : text.split(';')).slice(0, mostStatements).map(plain).filter((text) => text !== '').map((text) => `${program} < ${text}`);
}

function plain(statement: string): string {
  const text = statement.replace(/--[^\n]*|\/\*[^*]*\*\//g, ' ').replace(/'[^']*'/g, "'…'").replace(/\s+/g, ' ').trim().toUpperCase();
  return /^(?:DELETE FROM|UPDATE) /.test(text) && !/ WHERE /.test(text) ? `${text} WHERE TRUE` : text;
}
