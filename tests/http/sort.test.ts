/** Lists in another order than their usual one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

let now_ms = Date.parse('2026-06-15T12:00:00Z');
let server: TestServer;
let person: Person;
beforeAll(async () => {
  server = await startServer('sqlite', {
    clock: () => {
      now_ms += 1;
      return now_ms;
    },
  });
  person = await server.newPerson();
});
afterAll(() => server.close());

test('properties by name and by age, both ways', async () => {
  for (const display_name of ['Åre', 'bo', 'Ala', 'Bo']) {
    await person.client.createProperty({ body: { display_name } });
  }
  const names = async (sort: string) =>
    (await server.call('GET', `/api/properties${sort}`, { token: person.token })).body.items.map(
      ({ display_name }: { display_name: string }) => display_name,
    );
  const by_name = ['Ala', 'bo', 'Bo', 'Åre'];
  expect(await names('')).toEqual(by_name);
  expect(await names('?sort=display_name')).toEqual(by_name);
  expect(await names('?sort=-display_name')).toEqual(by_name.toReversed());
  expect(await names('?sort=created_at')).toEqual(['Åre', 'bo', 'Ala', 'Bo']);
  expect(await names('?sort=-created_at&limit=2')).toEqual(['Bo', 'Ala']);
  const wrong = await server.call('GET', '/api/properties?sort=address', { token: person.token });
  expectProblem(wrong, 'validation_failed', { errors: ['sort'] });
});

test('meters by name and by age: the main meter comes first only if nothing else is said', async () => {
  const house = await newHouse(server, { owner: person });
  for (const name of ['sauna', 'attic']) await house.submeter(name);
  const names = async (sort: string) =>
    (await house.get(`/api/properties/${house.property_id}/meters${sort}`)).body.items.map(
      ({ name }: { name: string }) => name,
    );
  expect(await names('')).toEqual(['Main meter', 'attic', 'sauna']);
  expect(await names('?sort=name')).toEqual(['attic', 'Main meter', 'sauna']);
  expect(await names('?sort=-name')).toEqual(['sauna', 'Main meter', 'attic']);
  expect(await names('?sort=created_at')).toEqual(['Main meter', 'sauna', 'attic']);
  expect(await names('?sort=-created_at')).toEqual(['attic', 'sauna', 'Main meter']);
});
