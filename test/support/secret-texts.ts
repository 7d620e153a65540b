/** Texts with credentials in them, put together so that no file holds one: each run of a shape becomes characters of its class. */
import { sets } from '../../lib/policy/scan/shape.ts';

const uuid = '{anyhex:8}-{anyhex:4}-{anyhex:4}-{anyhex:4}-{anyhex:12}';

/** The template with characters for its runs: the same for the same template and seed. */
export function expand(template: string, seed = 1): string {
  const next = randomFrom(`${template}${seed}`);
  return template.replaceAll('{uuid}', uuid).replace(/\{([A-Za-z0-9]+):(\d+)(?:-(\d*))?\}/g, (run, name: string, least: string, most: string | undefined) => {
    const set = sets[name];
    if (set === undefined) return run;
    const characters = Array.from(set.keys()).filter((code) => set[code] === 1);
    const length = Number(least) + (most === undefined ? 0 : next() % Math.min(8, (most === '' ? Number(least) + 8 : Number(most)) - Number(least) + 1));
    return String.fromCharCode(...Array.from({ length }, () => characters[next() % characters.length] ?? 0));
  });
}

/** Marsaglia's xorshift on 32 bits, begun with the characters of the seed. */
function randomFrom(seed: string): () => number {
  let state = 2_166_136_261;
  for (const char of seed) state = Math.imul(state ^ char.charCodeAt(0), 16_777_619) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state >>> 3;
  };
}

/** Ways in which languages and files give a value to a name; `<n>` stands for the name, `<v>` for the value. */
export const assignments: readonly string[] = [
  '<n>_token = "<v>"', '<n>_token="<v>"', "<n>_token: '<v>'", '<n>_token: <v>', '<n>_TOKEN=<v>', '<n>_TOKEN = <v>', '{"<n>_token":"<v>"}', '{\n  "<n>_token": "<v>"\n}', '{"file": "<n>_TOKEN=<v>\\nB=c"}', '<<n>Token>\n  <v>\n</<n>Token>', '<<n>Token><v></<n>Token>',
  'const <n>Token: string = "<v>";', 'var <n>Token string = "<v>"', '<n>Token := "<v>"', '<n>Token := `<v>`', '$<n>Token .= "<v>";', 'System.setProperty("<n>_TOKEN", "<v>")', '"<n>Token" => "<v>"', '<n>_TOKEN ::= "<v>"', '<n>_TOKEN :::= "<v>"', '<n>_TOKEN ?= "<v>"',
  '<n>_TOKEN += "<v>"', 'const t = process.env.<n>_TOKEN || "<v>";', 'const t = process.env.<n>_TOKEN ?? "<v>";', 'export <n>_TOKEN=<v>', 'ENV <n>_TOKEN <v>', '<n>_token: |\n  <v>\n', '<n>_token: >-\n  <v>\n', '- name: <n>_TOKEN\n  value: "<v>"', '<add key="<n>Token" value="<v>" />',
  '{"name": "<n>_token", "value": "<v>"}', 'let <n>_token: &str = "<v>";', '<n>_token = b"<v>"', '<n>_token = os.getenv("<v>")', 'os.environ["<n>_TOKEN"] = "<v>"', '"{\\"<n>_token\\": \\"<v>\\"}"', '<n> api token: <v>', '<n>_token -> "<v>"', '.<n>_token = "<v>",',
];
