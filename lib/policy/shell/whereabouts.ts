/**
 * Where a shell may be while it works through a text, and what links it has made: both decide what a relative path means.
 * Several directories are kept where it is not certain whether a change of directory came about; `undefined` stands for one
 * that is not known.
 */
import { isAbsolute, isInside, join, normalize, resolveFrom } from '../../base/paths.ts';

type Places = readonly (string | undefined)[];

/** More directories than this at once are not followed. */
const mostPlaces = 16;
const mostLinks = 32;
/** Longer directories are not followed. */
const longestPlace = 512;

export class Whereabouts {
  #places: Places;
  /** Where the shell is if a change of directory in the running `&&` list has failed. */
  #failed: Places = [];
  #strayed = false;
  readonly #links: { readonly link: string; readonly source: string }[] = [];
  readonly #saved: { readonly places: Places; readonly failed: Places }[] = [];

  constructor(cwd: string | undefined) {
    this.#places = [cwd === undefined ? undefined : normalize(cwd)];
  }

  get places(): Places {
    return this.#places;
  }

  /** The one directory the shell is in, where that is certain. */
  get certain(): string | undefined {
    return this.#places.length === 1 ? this.#places[0] : undefined;
  }

  /** Whether a relative path may start from nobody knows where. */
  get strayed(): boolean {
    return this.#strayed && this.#places.includes(undefined);
  }

  /** A subshell begins. */
  enter(): void {
    this.#saved.push({ places: this.#places, failed: this.#failed });
  }

  /** A subshell ends, and its changes of directory with it. */
  leave(): void {
    const saved = this.#saved.pop();
    if (saved !== undefined) [this.#places, this.#failed] = [saved.places, saved.failed];
  }

  /** `cd`; undefined for a target that is not known. False when there are too many places to follow. */
  move(target: string | undefined, next: string): boolean {
    if (target === undefined) this.#strayed = true;
    const after = target === undefined ? [undefined] : this.#places.map((place) => this.#bounded(seenFrom(place, target)));
    if (next === '&&') {
      this.#failed = [...new Set([...this.#failed, ...this.#places])].slice(0, mostPlaces + 1);
      return this.#set(after);
    }
    return this.#set([...after, ...this.#places]);
  }

  /** A command ends with this sign: after all but `&&` and `|` it is open whether what came before succeeded. */
  ended(next: string): boolean {
    if (next === '&&' || next.startsWith('|') && next !== '||' || this.#failed.length === 0) return true;
    const all = [...this.#places, ...this.#failed];
    this.#failed = [];
    return this.#set(all);
  }

  /** `ln`: paths through the link lead to the source from now on. */
  linked(link: string, source: string): void {
    for (const place of this.#places) {
      const at = seenFrom(place, link);
      if (this.#links.length < mostLinks) this.#links.push({ link: at, source: isAbsolute(source) ? source : join(at, '..', source) }, { link: at, source: seenFrom(place, source) });
    }
  }

  /** What a path may mean: seen from each place, as written where a place is not known, and through the links made here. */
  meanings(path: string): readonly string[] {
    const [only] = this.#places;
    if (this.#places.length === 1 && this.#links.length === 0) return [seenFrom(only, path)];
    const seen = this.#places.map((place) => seenFrom(place, path));
    const through = this.#links.flatMap(({ link, source }) => seen.filter((one) => isInside(one, link)).map((one) => source + one.slice(link.length)));
    return [...new Set([...seen, ...through])];
  }

  #set(places: Places): boolean {
    const all = [...new Set(places)];
    this.#places = all.slice(0, mostPlaces);
    return all.length <= mostPlaces;
  }

  #bounded(path: string): string | undefined {
    if (path.length <= longestPlace) return path;
    this.#strayed = true;
    return undefined;
  }
}

/** A path from a place. One that climbs is left as it is written: where it leads depends on the links below it. */
function seenFrom(place: string | undefined, path: string): string {
  if (place === undefined || isAbsolute(path)) return path;
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(path)) return place === '/' ? `/${path}` : `${place}/${path}`;
  return path.startsWith('../') || path.includes('/../') || path === '..' || path.endsWith('/..') ? `${place}/${path}` : resolveFrom(place, path);
}
