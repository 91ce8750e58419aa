/** What a user says of themselves, and what of it is within reach. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';

const NOW = '2026-06-15T12:00:00Z';

describe.each(ENGINES)('the profile on %s', (engine) => {
  let server: TestServer;
  let anna: Person;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    anna = await server.newPerson();
  });

  const me = async (who = anna) => (await server.call('GET', '/api/users/me', { token: who.token })).body;
  const patch = (body: unknown, who = anna) =>
    server.call('PATCH', '/api/users/me', { token: who.token, body });
  /** Refused, naming the field, and nothing has changed. */
  async function refused(body: unknown, ...errors: string[]) {
    const before = await me();
    expectProblem(await patch(body), 'validation_failed', { errors });
    expect(await me()).toEqual(before);
  }

  test('is empty at first, takes every field, and forgets each again', async () => {
    const empty = {
      id: anna.id,
      username: anna.username,
      email: `${anna.username}@example.com`,
      display_name: null,
      phone_number: null,
      timezone: null,
      locale: null,
      default_property_id: null,
      default_meter_id: null,
      created_at: NOW,
    };
    expect(await me()).toEqual(empty);
    const house = await newHouse(server, { owner: anna });
    const said = {
      display_name: 'Anna Å',
      phone_number: '+46701234567',
      timezone: 'Europe/Stockholm',
      locale: 'sv-SE',
      default_property_id: house.property_id,
      default_meter_id: house.main_id,
    };
    const { status, body } = await patch({ ...said, display_name: '  Anna Å ' });
    expect([status, body]).toEqual([200, { ...empty, ...said }]);
    expect(await me()).toEqual({ ...empty, ...said });
    // One field leaves the others alone.
    expect((await patch({ phone_number: null })).body).toEqual({ ...empty, ...said, phone_number: null });
    const nothing = Object.fromEntries(Object.keys(said).map((name) => [name, null]));
    expect((await patch(nothing)).body).toEqual(empty);
  });

  test('no field, or one that is not there to be changed: 422', async () => {
    await refused({}, 'body');
    await refused({ username: 'other' }, 'username');
    await refused({ email: 'other@example.com' }, 'email');
    await refused({ deleted_at: 1 }, 'deleted_at');
    await refused({ locale: 'sv', password_hash: 'x' }, 'password_hash');
  });

  test.each(['+1234567', '+123456789012345'])('the telephone number %s', async (phone_number) => {
    expect((await patch({ phone_number })).body.phone_number).toBe(phone_number);
  });

  test.each([
    '0701234567',
    '46701234567',
    '+0701234567',
    '+123456',
    '+1234567890123456',
    '+46 70 123 45 67',
    '+4670-1234567',
    '+46701234567\n',
    '+４６７０１２３４５６７',
    '',
    46701234567,
  ])('%s is no E.164 number', async (phone_number) => {
    await refused({ phone_number }, 'phone_number');
  });

  test.each([
    ['sv', 'sv'],
    ['SV-se', 'sv-SE'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['iw', 'he'],
    ['tlh', 'tlh'],
    ['de-1996-u-co-phonebk', 'de-1996-u-co-phonebk'],
  ])('the language %s is kept as %s', async (locale, canonical) => {
    expect((await patch({ locale })).body.locale).toBe(canonical);
  });

  test.each(['sv_SE', 's', 'sv-', '-', '', ' sv', 'svenska språket', 17, ['sv']])(
    '%s is no language tag',
    async (locale) => {
      await refused({ locale }, 'locale');
    },
  );

  test.each(['Europe/Nowhere', '+02:00', '', 'UTC+2', 2])('%s is no time zone', async (timezone) => {
    await refused({ timezone }, 'timezone');
  });

  describe('the defaults', () => {
    let house: House;
    let other: House;
    let theirs: House;
    beforeEach(async () => {
      house = await newHouse(server, { owner: anna });
      other = await newHouse(server, { owner: anna });
      theirs = await newHouse(server);
    });
    const defaults = async () => {
      const { default_property_id, default_meter_id } = await me();
      return [default_property_id, default_meter_id];
    };
    const set = (default_property_id: number | null, default_meter_id: number | null) =>
      patch({ default_property_id, default_meter_id });

    test('must be within reach', async () => {
      for (const id of [theirs.property_id, 999_999]) {
        await refused({ default_property_id: id }, 'default_property_id');
      }
      for (const id of [theirs.main_id, 999_999, other.main_id]) {
        await refused({ default_property_id: house.property_id, default_meter_id: id }, 'default_meter_id');
      }
      await refused({ default_property_id: 0 }, 'default_property_id');
      await refused({ default_property_id: String(house.property_id) }, 'default_property_id');
    });

    test('belong together, also when one of them is changed', async () => {
      await refused({ default_meter_id: house.main_id }, 'default_meter_id');
      await refused({ default_property_id: null, default_meter_id: house.main_id }, 'default_meter_id');
      expect((await set(house.property_id, house.main_id)).status).toBe(200);
      await refused({ default_meter_id: other.main_id }, 'default_meter_id');
      await refused({ default_property_id: other.property_id }, 'default_property_id');
      expect((await patch({ default_property_id: house.property_id })).status).toBe(200);
      expect(await defaults()).toEqual([house.property_id, house.main_id]);
      expect((await set(other.property_id, null)).status).toBe(200);
      expect(await defaults()).toEqual([other.property_id, null]);
      expect((await patch({ default_meter_id: other.main_id })).status).toBe(200);
      expect((await set(house.property_id, house.main_id)).status).toBe(200);
    });

    test('without a property there is no meter', async () => {
      await set(house.property_id, house.main_id);
      expect((await patch({ default_property_id: null })).status).toBe(200);
      expect(await defaults()).toEqual([null, null]);
      // It was cleared, not hidden.
      await patch({ default_property_id: house.property_id });
      expect(await defaults()).toEqual([house.property_id, null]);
    });

    test('of a tenant: the meters that are named', async () => {
      const [flat, shop] = [await theirs.submeter('flat'), await theirs.submeter('shop')];
      await join(theirs, anna, 'tenant', [flat]);
      const { property_id } = theirs;
      for (const id of [shop, theirs.main_id])
        await refused({ default_property_id: property_id, default_meter_id: id }, 'default_meter_id');
      expect((await set(property_id, flat)).status).toBe(200);
      // What is lost reads as null, and is there again if it comes back.
      const become = (meter_ids: number[]) =>
        theirs.owner.client.setMember({
          property_id,
          user_id: anna.id,
          body: { role: 'tenant', meter_ids },
        });
      await become([shop]);
      expect(await defaults()).toEqual([property_id, null]);
      await become([flat, shop]);
      expect(await defaults()).toEqual([property_id, flat]);
      await theirs.owner.client.removeMember({ property_id, user_id: anna.id });
      expect(await defaults()).toEqual([null, null]);
      await refused({ default_meter_id: flat }, 'default_meter_id');
      expect((await patch({ default_property_id: house.property_id })).status).toBe(200);
      expect(await defaults()).toEqual([house.property_id, null]);
    });
  });

  test('has a version, and a change may insist on the one it has seen', async () => {
    const seen = await server.call('GET', '/api/users/me', { token: anna.token });
    const etag = seen.headers.get('etag')!;
    const change = (locale: string) =>
      server.call('PATCH', '/api/users/me', {
        token: anna.token,
        body: { locale },
        headers: { 'if-match': etag },
      });
    expect((await change('sv')).status).toBe(200);
    expectProblem(await change('de'), 'precondition_failed');
    expect((await me()).locale).toBe('sv');
  });

  test("the user's properties, with the role in each", async () => {
    const theirs = await newHouse(server);
    const flat = await theirs.submeter('flat');
    const own = await newHouse(server, { owner: anna });
    await join(theirs, anna, 'tenant', [flat]);
    const { body } = await server.call('GET', '/api/users/me/properties?limit=5', { token: anna.token });
    expect(body).toMatchObject({ total: 2, limit: 5, offset: 0 });
    expect(body).toEqual((await server.call('GET', '/api/properties?limit=5', { token: anna.token })).body);
    const roles = body.items.map(({ id, role }: { id: number; role: string }) => [id, role]);
    expect(new Map(roles)).toEqual(
      new Map([
        [own.property_id, 'owner'],
        [theirs.property_id, 'tenant'],
      ]),
    );
    const empty = await server.call('GET', '/api/users/me/properties', {
      token: (await server.newPerson()).token,
    });
    expect(empty.body).toEqual({ items: [], total: 0, limit: 100, offset: 0 });
  });
});
