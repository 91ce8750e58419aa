import { describe, expect, test } from 'vitest';
import { guessable } from './guessable.ts';

const CONTEXT = ['astrid', 'a.lindgren@kraftverket.se', 'electric', 'meters.example.org'];

describe('guessable', () => {
  test.each([
    ['aaaaaaaaaaaaaaa', /repeats/],
    ['!!!!!!!!!!!!!!!!', /repeats/],
    ['               ', /repeats/],
    ['xyxyxyxyxyxyxyxy', /repeats/],
    ['xk7pxk7pxk7pxk7p', /repeats/],
    ['abcabcabcabcabc1', /repeats/],
    ['111111222222333333', /repeats/],
    ['rosrosrosrosros-ros', /repeats/],
    ['123456789012345', /keys/],
    ['987654321098765', /keys/],
    ['112233445566778899', /keys/],
    ['abcdefghijklmnop', /keys/],
    ['ponmlkjihgfedcba', /keys/],
    ['qwertyuiopasdfgh', /keys/],
    ['qwertyuiopåasdfghjklöä', /keys/],
    ['1qaz2wsx3edc4rfv', /keys/],
    ['zxcvbnm,./asdfgh', /keys/],
    ['1q2w3e4r5t6y7u8i', /keys/],
    ['314159265358979', /keys/],
    ['passwordpassword', /well-known/],
    ['Password Password', /well-known/],
    ['P@ssw0rd!P@ssw0rd!', /well-known/],
    ['letmein-letmein-1', /repeats/],
    ['DragonMonkeyFootball', /well-known/],
    ['iloveyou iloveyou', /well-known/],
    ['sommar2026sommar2026', /well-known/],
    ['password1234567', /keys/],
    ['admin admin admin!', /repeats/],
    ['löſenord lösenord', /well-known/],
    ['astrid-astrid-1', /repeats/],
    ['Astrid Lindgren!', /your name/],
    ['a.lindgren@kraftverket.se', /your name/],
    ['kraftverket kraftverket', /your name/],
    ['electric-astrid-26', /your name/],
    ['ElectricElectric', /your name/],
    ['meters.example.org', /your name/],
  ])('%s is', (password, reason) => {
    expect(guessable(password, CONTEXT)).toMatch(reason);
  });

  test.each([
    'a sentence that is long enough',
    'four words are good enough',
    'correct horse battery staple',
    'tre kor i ladan',
    '  Ljus i mörkret ☂ 2026  ',
    'kR7#pq9Zt!m2Vb$',
    '#&%!)(=?/<>:;,.-_',
    '9301 4471 8826 05',
    'my sister and brother love music',
    'Electric eels astonish Astrid daily',
    'パスワードは長い文が一番安全です',
    '🐄🐖🐓🐑🐐🦆🐈🐕🐇🐿🦔🦇🐁🦢🦉',
  ])('%s is not', (password) => {
    expect(guessable(password, CONTEXT)).toBeNull();
  });

  test('another account may use what is guessable for this one', () => {
    expect(guessable('kraftverket lindgren', CONTEXT)).not.toBeNull();
    expect(guessable('kraftverket lindgren', ['bo', 'bo@example.com'])).toBeNull();
  });

  test('what is judged is long, not all of it', () => {
    expect(guessable(`passwordletmein${'-'.repeat(1000)}`, CONTEXT)).not.toBeNull();
    expect(guessable(`${'password'.repeat(5)} and a cow in the barn`, CONTEXT)).toBeNull();
  });
});
