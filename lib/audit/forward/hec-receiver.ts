/** A Splunk HTTP Event Collector: batches of JSON objects, one after the other in a body, and an answer for each batch. */
import { isCount, objectIn } from '../../base/json.ts';
import type { Secret } from '../../base/secret.ts';
import type { PostAnswer } from '../../ports.ts';
import { stubOf, type Outgoing } from './message.ts';
import { failedBy, reachable, taken, withAny, type Handover, type Reach, type Receiver, type Refusal } from './receiver.ts';
import type { Witnessed } from './witness.ts';

export interface HecOptions extends Reach {
  readonly id: string;
  /** As configured: the collector's address, with or without the path of its event endpoint. */
  readonly url: string;
  readonly token: Secret;
  readonly index: string | undefined;
  readonly sourcetype: string;
  readonly witness: () => Witnessed | undefined;
  /** Who signs its certificate, where that is not one of the usual authorities. */
  readonly ca?: string;
}

const hecTimeoutMs = 30_000;
const eventPath = '/services/collector/event';

/** The address that events are posted to. */
export function hecEndpoint(url: string): string {
  const target = new URL(url);
  const path = target.pathname.replace(/\/+$/, '');
  if (path.endsWith('/services/collector')) target.pathname = `${path}/event`;
  else if (!path.includes('/services/collector/')) target.pathname = `${path}${eventPath}`;
  return target.href;
}

/** The host of a URL as a name or an address without brackets. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

export function createHecReceiver(options: HecOptions): Receiver {
  const { url, id } = options;
  return {
    id, name: `splunk ${hecEndpoint(url)}`, confirms: true,
    async send(batch) {
      const refused: Refusal[] = [];
      const handover = await sendAll(batch.map((outgoing) => ({ outgoing, whole: true })), options, refused);
      return handover.kind === 'failed' ? handover : { kind: 'taken', refused };
    },
    settle: () => Promise.resolve(taken),
    close: () => undefined,
  };
}

/** An entry, or its stub where the entry itself was refused. */
interface Item {
  readonly outgoing: Outgoing;
  readonly whole: boolean;
}

async function sendAll(items: readonly Item[], options: HecOptions, refused: Refusal[]): Promise<Handover> {
  let left = items;
  while (left.length > 0) {
    const answer = await postEvents(left.map((item) => eventText(item, options)).join('\n'), options);
    if ('kind' in answer) return answer;
    const judged = judge(answer, left.length);
    if (judged.kind === 'failed') return judged;
    if (judged.kind === 'taken') return taken;
    if (judged.kind === 'too large' && left.length > 1) {
      const half = Math.ceil(left.length / 2);
      const first = await sendAll(left.slice(0, half), options, refused);
      if (first.kind === 'failed') return first;
      left = left.slice(half);
      continue;
    }
    // Whether those before it were taken is not said: all others are sent again, in place of it first a stub, then nothing.
    const at = judged.kind === 'too large' ? 0 : judged.at;
    const item = left[at];
    if (item === undefined) return taken;
    if (!item.whole) refused.push({ seq: item.outgoing.seq, reason: judged.found });
    left = [...left.slice(0, at), ...item.whole ? [{ ...item, whole: false }] : [], ...left.slice(at + 1)];
  }
  return taken;
}

/** One event of the body. The entry stands in it as it is written in the log. */
export function eventText({ outgoing, whole }: Item, { index, sourcetype, witness }: Pick<HecOptions, 'index' | 'sourcetype' | 'witness'>): string {
  const head = witness();
  const fields = {
    ...(outgoing.seq < 0 ? {} : { seq: outgoing.seq }), ...(outgoing.chainHash === '' ? {} : { chain_hash: outgoing.chainHash }),
    ...(head === undefined ? {} : { tree_size: head.size, tree_root: head.root }),
  };
  const around = {
    ...(outgoing.time === undefined ? {} : { time: outgoing.time / 1000 }), host: outgoing.host, source: 'loki', sourcetype, ...(index === undefined ? {} : { index }), fields,
  };
  return `${JSON.stringify(around).slice(0, -1)},"event":${whole ? outgoing.text : stubOf(outgoing)}}`;
}

/** Posts a body; a failed handover when no answer came. */
export async function postEvents(body: string, options: HecOptions): Promise<PostAnswer | Handover> {
  const url = hecEndpoint(options.url);
  try {
    return await withAny(await reachable(options, hostOf(url)), (address) => options.sockets.post({
      url, address, timeoutMs: hecTimeoutMs, body: Buffer.from(body), ...(options.ca === undefined ? {} : { ca: options.ca }),
      headers: { Authorization: `Splunk ${options.token.reveal()}`, 'Content-Type': 'application/json' },
    }));
  } catch (error) {
    return failedBy(error);
  }
}

type Judged =
  | { readonly kind: 'taken' }
  | { readonly kind: 'too large'; readonly found: string }
  | { readonly kind: 'refused'; readonly at: number; readonly found: string }
  | (Handover & { readonly kind: 'failed' });

/** What an answer means. `count` events were sent. */
export function judge({ status, body, retryAfterS }: PostAnswer, count: number): Judged {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const { text, number } = readAnswer(body);
  const found = `it answers ${status}${text === '' ? '' : ` "${text}"`}`;
  if (status === 413) return { kind: 'too large', found };
  if (status === 400 && number !== undefined && number < count) return { kind: 'refused', at: number, found };
  const passes = status >= 500 || status === 429 || status === 408;
  return { kind: 'failed', found, permanent: !passes, retryAfterMs: passes && retryAfterS !== undefined ? retryAfterS * 1000 : undefined };
}

/** `{"text":"Invalid token","code":4}`, and `invalid-event-number` where one event of the batch was wrong. */
function readAnswer(body: string): { readonly text: string; readonly number: number | undefined } {
  const { text, 'invalid-event-number': number } = objectIn(body) ?? {};
  return {
    text: typeof text === 'string' ? text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : '',
    number: isCount(number) ? number : undefined,
  };
}
