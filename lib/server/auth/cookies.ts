/**
 * Cookies, as the control plane writes and reads them. Behind TLS every name begins with `__Host-`, so that no other host and
 * no plain-http page can set one; on this machine without TLS, where browsers refuse that, the names are plain. A cookie that
 * comes twice counts as none: one of the two was planted.
 */

export interface CookieJar {
  /** The name that a browser knows it by. */
  name(base: string): string;
  /** The value of a cookie in a Cookie header. */
  read(header: string | undefined, base: string): string | undefined;
  /** Names (without the prefix) of the cookies that begin with `base`. */
  list(header: string | undefined, base: string): readonly string[];
  set(base: string, value: string, maxAgeS: number): string;
  clear(base: string): string;
}

/** `secure`: whether browsers reach us by https. */
export function createCookieJar(secure: boolean): CookieJar {
  const prefix = secure ? '__Host-' : '';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    name: (base) => prefix + base,
    read(header, base) {
      const values = pairsOf(header).filter(([name]) => name === prefix + base);
      return values.length === 1 ? values[0]?.[1] : undefined;
    },
    list: (header, base) => pairsOf(header).filter(([name]) => name.startsWith(prefix + base)).map(([name]) => name.slice(prefix.length)),
    set: (base, value, maxAgeS) => `${prefix}${base}=${value}; Max-Age=${maxAgeS}; ${attributes}`,
    clear: (base) => `${prefix}${base}=; Max-Age=0; ${attributes}`,
  };
}

function pairsOf(header: string | undefined): readonly (readonly [name: string, value: string])[] {
  return (header ?? '').split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 1 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()] as const];
  });
}
