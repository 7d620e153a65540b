/** The version of this program, as records and the `loki` command give it. A test holds it against package.json. */
export const version: string = '0.1.0';
