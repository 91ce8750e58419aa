import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, tidy } from './text.ts';

describe('names as people compare them', () => {
  test.each([
    ['upper and lower case', 'ÅSA', 'åsa'],
    ['composed and decomposed letters', 'Ga\u0308rage', 'gärage'],
    ['a ring on the letter and the unit of length', 'A\u030asa', '\u212bsa'],
    ['sharp s and its capitals', 'STRASSE', 'straße'],
    ['the Turkish capital i', 'İZMİR', 'izmir'],
    ['the Greek sigma at the end of a word and within it', 'ΟΔΟΣ', 'οδος'],
    ['a ligature and its letters', 'ﬁrst ﬂoor', 'FIRST FLOOR'],
    ['full-width digits', 'Ｆ１２', 'f12'],
  ])('%s are one', (_, one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  test.each([
    ['letters with and without marks', 'Gärage', 'Garage'],
    ['different words', 'Kitchen 1', 'Kitchen 2'],
    ['with and without a space', 'Heat pump', 'Heatpump'],
  ])('%s stay two', (_, one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  test('folding is indifferent to case and composition, and folding twice changes nothing', () => {
    const name = fc.string({
      unit: fc.constantFrom(...'abcxyzåäöéüßøñşčğ ÅÄÖÉ ABC 019_-αβγσςλΣΛЖжяйё'.split(''), '\u0308', '\u030a'),
    });
    fc.assert(
      fc.property(name, (text) => {
        const folded = fold(text);
        expect(fold(text.toUpperCase())).toBe(folded);
        expect(fold(text.normalize('NFD'))).toBe(folded);
        expect(fold(text.normalize('NFC'))).toBe(folded);
        expect(fold(folded)).toBe(folded);
      }),
    );
  });
});

describe('a line as it is stored', () => {
  test.each([
    ['  Gärage \t', 'Gärage'],
    ['\u00a0Gärage\u2003', 'Gärage'],
    ['Ga\u0308rage', 'G\u00e4rage'],
    ['Heat  pump', 'Heat  pump'],
    ['ﬁrst STRASSE', 'ﬁrst STRASSE'],
    ['   ', ''],
  ])('%j is kept as %j', (written, stored) => {
    expect(tidy(written)).toBe(stored);
  });
});
