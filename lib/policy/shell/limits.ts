/** How much of a command is read. */

/** In UTF-16 code units. Longer commands are not read; nobody reviews them either. */
export const longestCommand: number = 64 * 1024;

/** Substitutions inside one another, and shells that start shells. */
export const deepest: number = 8;
