/**
 * ArcSight Common Event Format, version 0:
 * `CEF:0|Vendor|Product|Version|Event class|Name|Severity|key=value key=value`. In the header `\` and `|` are escaped, in
 * values `\` and `=`; a line end is `\n` in a value and a space in the header, any other control character a space in both.
 * What is longer than a field may be is cut.
 */

/** One message. */
export interface CefMessage {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly classId: string;
  readonly name: string;
  /** 0 to 10. */
  readonly severity: number;
  /** Keys of the extension dictionary; empty values are left out. */
  readonly extension: readonly (readonly [key: string, value: string | number | undefined])[];
}

/** Characters that the header's fields may have. */
const longest = { vendor: 63, product: 63, version: 31, classId: 1023, name: 512 };

/** Characters that values may have, where the dictionary says so; others are cut at the longest there is. */
const longestValue: Readonly<Record<string, number>> = {
  act: 63, cat: 1023, suser: 1023, suid: 1023, sproc: 1023, dvchost: 100, externalId: 40, outcome: 63, reason: 1023, request: 1023, filePath: 1023, fname: 1023, fileHash: 255, msg: 1023,
};
const longestCustom = 4000;

export function cefMessage({ vendor, product, version, classId, name, severity, extension }: CefMessage): string {
  const header = [cut(vendor, longest.vendor), cut(product, longest.product), cut(version, longest.version), cut(classId, longest.classId), cut(name, longest.name), String(severity)];
  const values = extension.flatMap(([key, value]) => (value === undefined || value === '' ? [] : [`${key}=${valueText(cut(String(value), longestValue[key] ?? longestCustom))}`]));
  return `CEF:0|${header.map(headerText).join('|')}|${values.join(' ')}`;
}

/** Also those that some take for a line end: NEL and the separators of Unicode. */
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

function headerText(text: string): string {
  return text.replace(/\r\n|[\r\n]/g, ' ').replace(control, ' ').replace(/[\\|]/g, '\\$&');
}

function valueText(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r\n|[\r\n]/g, '\\n').replace(control, ' ');
}

/** Never in the middle of a character of two code units. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return text.slice(0, end);
}
