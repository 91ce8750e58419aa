import { describe, expect, test } from 'vitest';
import { WallClock } from './wall-clock.ts';

const wall = (text: string) => Date.parse(`${text}Z`);
const shown = (zone: string, text: string) =>
  new WallClock(zone)
    .instants(wall(text))
    .map((instant_ms) => new Date(instant_ms).toISOString().slice(0, 16));

describe('the instants that a clock on the wall may have shown', () => {
  test.each([
    ['Europe/Stockholm', '2026-01-15T12:00', ['2026-01-15T11:00']],
    ['Europe/Stockholm', '2026-07-15T12:00', ['2026-07-15T10:00']],
    ['Europe/Stockholm', '2026-03-29T01:59', ['2026-03-29T00:59']],
    ['Europe/Stockholm', '2026-03-29T02:00', []],
    ['Europe/Stockholm', '2026-03-29T02:59', []],
    ['Europe/Stockholm', '2026-03-29T03:00', ['2026-03-29T01:00']],
    ['Europe/Stockholm', '2026-10-25T02:30', ['2026-10-25T00:30', '2026-10-25T01:30']],
    ['Europe/Stockholm', '2026-10-25T03:00', ['2026-10-25T02:00']],
    ['Australia/Lord_Howe', '2026-04-05T01:45', ['2026-04-04T14:45', '2026-04-04T15:15']],
    ['+01:00', '2026-07-15T12:00', ['2026-07-15T11:00']],
    ['UTC', '1999-12-31T23:59', ['1999-12-31T23:59']],
  ])('%s, %s', (zone, text, instants) => {
    expect(shown(zone, text)).toEqual(instants);
  });
});
