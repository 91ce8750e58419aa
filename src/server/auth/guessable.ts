/** Whether somebody who knows how people choose passwords would guess one soon. */
import { fold } from '../../core/text.ts';
import { COMMON_WORDS, SEQUENCES } from './common-passwords.ts';

/** A character of one's own counts one; a part that a guesser has ready counts this, however long it is, and once. */
const WORTH_OF_A_PART = 2;
const MIN_WORTH = 10;
/** What comes after adds nothing that is needed, and would only cost time. */
const LOOKED_AT = 128;
const MIN_RUN = 4;
const MIN_WORD = 3;

const REASONS = {
  repeated: 'repeats a few characters',
  sequence: 'mostly follows the keys of a keyboard, the alphabet or numbers',
  common: 'is mostly made of well-known passwords',
  context: 'is mostly made of your name, your email address or the name of this service',
} as const;
type Kind = keyof typeof REASONS;

const LOOKALIKES: Record<string, string> = {
  '@': 'a',
  4: 'a',
  3: 'e',
  1: 'i',
  '!': 'i',
  0: 'o',
  $: 's',
  5: 's',
  7: 't',
};

/** Case, spaces and doubled characters make nothing harder to guess. */
function simplify(text: string): string[] {
  const characters = [...fold(text).replace(/\s/gu, '')];
  return characters.filter((character, i) => character !== characters[i - 1]);
}

const COMMON = new Set(
  COMMON_WORDS.map((word) => simplify(word).join('')).filter((w) => w.length >= MIN_WORD),
);
const LONGEST_WORD = Math.max(...[...COMMON].map((word) => word.length));
const RUNS = SEQUENCES.flatMap((run) => [run, [...run].reverse().join('')]).join(' ');
const LONGEST_RUN = Math.max(...SEQUENCES.map((run) => run.length));

/** The parts of a name or an address that a password may be made of. */
function contextWords(context: readonly string[]): Set<string> {
  const parts = context.flatMap((text) => [text, ...fold(text).split(/[^\p{L}\p{N}]+/u)]);
  return new Set(parts.map((part) => simplify(part).join('')).filter((part) => part.length >= MIN_WORD));
}

/** The shortest beginning that the whole of it repeats. */
function unit(characters: string[]): string[] {
  const length = characters.findIndex((_, n) => n > 0 && characters.every((c, i) => c === characters[i % n]));
  return length > 0 ? characters.slice(0, length) : characters;
}

/** @returns what a guesser has ready of which this is one; null if nothing */
function known(part: string, context: Set<string>): Kind | null {
  const spelt = [...part].map((character) => LOOKALIKES[character] ?? character).join('');
  const spellings = [part, spelt, part.replaceAll('1', 'l'), spelt.replaceAll('i', 'l')];
  if (spellings.some((spelling) => context.has(spelling))) return 'context';
  if (spellings.some((spelling) => COMMON.has(spelling))) return 'common';
  if (/^(19|20)\d\d$/.test(part)) return 'sequence';
  return part.length >= MIN_RUN && RUNS.includes(part) ? 'sequence' : null;
}

interface Part {
  text: string;
  kind: Kind;
}

/** Takes out the parts that a guesser has ready so that as little as possible is left. @returns how much is, and those */
function takeApart(characters: string[], context: Set<string>): { own: number; parts: Part[] } {
  const longest = Math.max(LONGEST_WORD, LONGEST_RUN, ...[...context].map((word) => word.length));
  /** Of the first n characters: how many are left, and the last part taken out. */
  const best: { own: number; from: number; part: Part | null }[] = [{ own: 0, from: 0, part: null }];
  for (let end = 1; end <= characters.length; end++) {
    let found: (typeof best)[number] = { own: best[end - 1]!.own + 1, from: end - 1, part: null };
    for (let from = Math.max(0, end - longest); from <= end - MIN_WORD; from++) {
      const { own } = best[from]!;
      if (own >= found.own) continue;
      const text = characters.slice(from, end).join('');
      const is_repeated = from * 2 >= end && text === characters.slice(from * 2 - end, from).join('');
      const kind = is_repeated ? 'repeated' : known(text, context);
      if (kind) found = { own, from, part: { text, kind } };
    }
    best.push(found);
  }
  const parts: Part[] = [];
  for (let end = characters.length; end > 0; end = best[end]!.from) {
    const { part } = best[end]!;
    if (part) parts.push(part);
  }
  return { own: best.at(-1)!.own, parts };
}

/** The kind that most of the parts' characters are of, if that is at least as much as what is left. */
function mainKind(own: number, parts: Part[]): Kind {
  const sizes = Map.groupBy(parts, ({ kind }) => kind)
    .entries()
    .map(([kind, those]) => ({ kind, size: those.reduce((sum, { text }) => sum + text.length, 0) }));
  const [most] = [...sizes].sort((a, b) => b.size - a.size);
  return most && most.size >= own ? most.kind : 'repeated';
}

/**
 * @param context what everybody knows of the account and of this server: names and addresses
 * @returns why the password is too easy to guess, to complete "it …"; null if it is not
 */
export function guessable(password: string, context: readonly string[]): string | null {
  const characters = unit(simplify(password)).slice(0, LOOKED_AT);
  const { own, parts } = takeApart(characters, contextWords(context));
  const distinct = new Set(parts.map(({ text }) => text)).size;
  return own + distinct * WORTH_OF_A_PART >= MIN_WORTH ? null : REASONS[mainKind(own, parts)];
}
