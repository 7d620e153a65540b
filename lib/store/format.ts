/** Number of the format of lines and files that this code writes (docs/formats/store.md). It reads this one and those before. */
export const storeFormat = 2;
