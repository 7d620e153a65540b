/**
 * IP addresses as bytes, and which of them a delivery may reach. What an administrator named may be private or this machine
 * itself; addresses that never belong to a receiver (link-local ones, where clouds hand out credentials, among them) are
 * reached only when they are listed.
 */

/** Sorts of addresses that a delivery does not reach unless they are listed; undefined for all others. */
export type Refused = 'link-local' | 'a cloud\'s metadata service' | 'no address of a machine' | 'multicast or broadcast';

/** Bytes of an address: 4 or 16; an IPv4 address in one of IPv6 (`::ffff:10.0.0.1`; `64:ff9b::10.0.0.1`, which a NAT64 leads there) gives 4. Undefined for what is none. */
export function parseAddress(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseFour(text);
  const bytes = parseSix(text.replace(/%.*$/, ''));
  const holdsFour = embedded.some((prefix) => bytes?.slice(0, prefix.length).every((byte, at) => byte === prefix[at]) === true);
  return holdsFour ? bytes?.slice(12) : bytes;
}

/** What stands before an IPv4 address in one of IPv6: mapped (RFC 4291, 2.5.5.2), translated (RFC 6052, 2.1). */
const embedded: readonly (readonly number[])[] = [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255], [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]];

function parseFour(text: string): readonly number[] | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseSix(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(groupBytes)));
  const found = [...front ?? [], ...back ?? []];
  if (found.some((byte) => Number.isNaN(byte))) return undefined;
  if (back === undefined) return found.length === 16 ? found : undefined;
  return found.length <= 14 ? [...front ?? [], ...Array.from({ length: 16 - found.length }, () => 0), ...back] : undefined;
}

/** A group of four hex digits, or the four bytes that may stand last as an IPv4 address. */
function groupBytes(group: string): readonly number[] {
  if (group.includes('.')) return parseFour(group) ?? [Number.NaN];
  if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return [Number.NaN];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 255];
}

const refusedBlocks: readonly (readonly [block: string, what: Refused])[] = [
  ['169.254.169.254/32', 'a cloud\'s metadata service'], ['100.100.100.200/32', 'a cloud\'s metadata service'], ['168.63.129.16/32', 'a cloud\'s metadata service'],
  ['fd00:ec2::254/128', 'a cloud\'s metadata service'],
  ['169.254.0.0/16', 'link-local'], ['fe80::/10', 'link-local'],
  ['0.0.0.0/8', 'no address of a machine'], ['::/128', 'no address of a machine'],
  ['224.0.0.0/3', 'multicast or broadcast'], ['ff00::/8', 'multicast or broadcast'],
];

/** Why a delivery does not reach this address of `host`; undefined when it may. `allowed` lists hosts, addresses and blocks. */
export function refusedAddress(host: string, address: string, allowed: readonly string[]): Refused | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined) return 'no address of a machine';
  const what = refusedBlocks.find(([block]) => isInBlock(bytes, block))?.[1];
  const isListed = allowed.some((item) => item === host.toLowerCase() || isInBlock(bytes, item));
  return isListed ? undefined : what;
}

/** Blocks that belong to nobody on the public network (IANA special-purpose registries), beside those above. */
const notPublic: readonly (readonly [block: string, what: string])[] = [
  ['127.0.0.0/8', 'this machine'], ['::/96', 'this machine'],
  ['10.0.0.0/8', 'a private network'], ['172.16.0.0/12', 'a private network'], ['192.168.0.0/16', 'a private network'], ['100.64.0.0/10', 'a private network'],
  ['fc00::/7', 'a private network'], ['fec0::/10', 'a private network'],
  ['192.0.0.0/24', 'a reserved address'], ['192.0.2.0/24', 'a reserved address'], ['192.88.99.0/24', 'a reserved address'], ['198.18.0.0/15', 'a reserved address'],
  ['198.51.100.0/24', 'a reserved address'], ['203.0.113.0/24', 'a reserved address'],
  ['64:ff9b:1::/48', 'a reserved address'], ['100::/64', 'a reserved address'], ['2001::/23', 'a reserved address'], ['2001:db8::/32', 'a reserved address'], ['2002::/16', 'a reserved address'],
  ['3fff::/20', 'a reserved address'], ['5f00::/16', 'a reserved address'],
];

/**
 * Why an address that somebody else named (a policy, a request) is not reached; undefined for one of the public network, and
 * for one that is listed. Listing a host by its name lets it be private; a link-local address, a cloud's metadata service
 * and their like must be listed themselves, because a name can be made to lead there.
 */
export function internalAddress(host: string, address: string, allowed: readonly string[]): string | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined) return 'no address of a machine';
  if (isListed(address, allowed)) return undefined;
  const never = refusedBlocks.find(([block]) => isInBlock(bytes, block))?.[1];
  if (never !== undefined || isListed(host, allowed)) return never;
  return notPublic.find(([block]) => isInBlock(bytes, block))?.[1];
}

/** Whether a host is listed by its name, or an address by itself or its block. */
export function isListed(host: string, allowed: readonly string[]): boolean {
  const bytes = parseAddress(host);
  return bytes === undefined ? allowed.includes(host.toLowerCase()) : allowed.some((item) => isInBlock(bytes, item));
}

/** Whether text is an address, or a block of them with as many bits as an address of its sort has. */
export function isBlock(text: string): boolean {
  const [base = '', bits, ...more] = text.split('/');
  const address = parseAddress(base);
  return address !== undefined && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= address.length * 8));
}

/** Whether an address is the one given, or in the block `10.1.0.0/16`. Anything else holds nothing. */
export function isInBlock(bytes: readonly number[], block: string): boolean {
  const [base = '', bits] = block.split('/');
  const start = parseAddress(base);
  if (start === undefined || start.length !== bytes.length) return false;
  const wanted = bits === undefined ? bytes.length * 8 : Number(bits);
  return bytes.every((byte, at) => {
    const shift = 8 - Math.min(8, Math.max(0, wanted - at * 8));
    return byte >> shift === (start[at] ?? 0) >> shift;
  });
}
