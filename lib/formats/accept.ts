/**
 * What a client wants to be answered with: an Accept header against what there is (RFC 9110, section 12.5.1). Decides by
 * quality, then by the client's order. Trusts nothing in the header: its length is bounded, and what does not parse asks for
 * nothing.
 */

/** One form an answer can have. */
export interface Offer {
  /** `type/subtype` in lower case. */
  readonly type: string;
  /** The value of the parameter `version`; without one the client's version is not looked at. */
  readonly version?: string;
}

/** One that the client would take, the dearest first. */
export interface Wanted {
  readonly type: string;
  readonly quality: number;
  /** In lower case, values without quotes. */
  readonly params: ReadonlyMap<string, string>;
}

const longestHeader = 4096;
const token = '[!#$%&\'*+.^_`|~0-9A-Za-z-]+';
const mediaRange = new RegExp(`^\\s*${token}/${token}\\s*$`);
const qualities = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
const parameter = new RegExp(`^\\s*(${token})\\s*=\\s*(?:(${token})|"([^"\\\\]*)")\\s*$`);

/** What the header asks for, the best first; parts that do not parse, or are not wanted at all (`q=0`), are left out. */
export function readAccept(header: string | undefined): readonly Wanted[] {
  if (header === undefined || header.length > longestHeader) return [];
  const parsed = header.split(',').flatMap((part): readonly Wanted[] => {
    const [type = '', ...rest] = part.split(';');
    const params = new Map(rest.flatMap((text) => {
      const [, name, bare, quoted] = parameter.exec(text) ?? [];
      return name === undefined ? [] : [[name.toLowerCase(), bare ?? quoted ?? ''] as const];
    }));
    const quality = params.get('q') ?? '1';
    if (!mediaRange.test(type) || !qualities.test(quality) || Number(quality) === 0 || params.size < rest.length) return [];
    return [{ type: type.trim().toLowerCase(), quality: Number(quality), params }];
  });
  return parsed.sort((a, b) => b.quality - a.quality);
}

/** The offer that the client likes best, with what it said; undefined when it takes none. Among equals the first offer. */
export function choose<One extends Offer>(wanted: readonly Wanted[], offers: readonly One[]): { readonly offer: One; readonly params: Wanted['params'] } | undefined {
  for (const { type, params } of wanted) {
    const offer = offers.find((one) => matches(type, one.type) && (one.version === undefined || (params.get('version') ?? one.version) === one.version));
    if (offer !== undefined) return { offer, params };
  }
  return undefined;
}

function matches(range: string, type: string): boolean {
  return range === type || range === '*/*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}
