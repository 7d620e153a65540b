/** The text of OTEL_RESOURCE_ATTRIBUTES (specification: resource/sdk.md, "Specifying resource information via an environment variable"). */
import { percentDecoded } from '../base/otlp-endpoint.ts';

const most = 128;

/** `key=value,key=value`, percent-encoded; undefined where there is one mistake, which discards all. */
export function readAttributes(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '').map((pair) => pair.split('=').map((part) => percentDecoded(part.trim())));
  const isGood = pairs.length <= most && pairs.every((pair) => pair.length === 2 && pair[0] !== '' && !pair.includes(undefined));
  return isGood ? Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])) : undefined;
}
