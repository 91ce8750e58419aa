/** What random people try, each time with the model's opinion of it. */
import { expect } from 'vitest';
import { ROLES } from '../../src/contract/schema.ts';
import { newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import type { CallResult, Person, TestServer } from '../support/server.ts';
import type { Entry, Membership, Outcome, Place } from './people-model.ts';
import * as model from './people-model.ts';
import type { Random } from './random.ts';

export const START_MS = Date.parse('2026-01-01T00:00:00Z');

/** Everything that is recorded of a meter ends in its mark, and nothing else does. */
export const mark = (id: number) => `.7${1 + (Math.floor(id / 9) % 9)}${1 + (id % 9)}`;

export class World {
  readonly server: TestServer;
  readonly people: Person[];
  readonly random: Random;
  readonly places: Place[] = [];
  #minutes = 0;

  constructor(server: TestServer, people: Person[], random: Random) {
    this.server = server;
    this.people = people;
    this.random = random;
  }

  async build(): Promise<void> {
    for (const owner of this.people.slice(0, 2)) {
      const house = await newHouse(this.server, { owner });
      const meter_ids = [house.main_id];
      for (const name of ['one', 'two', 'three'])
        meter_ids.push(await house.submeter(`sub ${name} of ${house.property_id}`));
      const below = { parent_meter_id: meter_ids[1] };
      meter_ids.push(await house.submeter(`below one of ${house.property_id}`, below));
      for (const id of meter_ids)
        await house.patch(`/api/meters/${id}`, {
          name: `canary name ${id}.`,
          location: `canary place ${id}.`,
        });
      const place: Place = {
        property_id: house.property_id,
        main_id: house.main_id,
        meter_ids,
        shares_totals: false,
        members: new Map([[owner.id, { role: 'owner', meter_ids: null }]]),
        invitations: [],
        entries: [],
      };
      this.places.push(place);
      for (const guest of this.people.filter((each) => each !== owner).slice(1)) {
        const to = this.membership(place);
        await join(house, guest, to.role, to.meter_ids ?? undefined);
        place.members.set(guest.id, to);
      }
    }
  }

  call(person: Person, method: string, path: string, body?: unknown): Promise<CallResult> {
    return this.server.call(method, path, { token: person.token, body });
  }

  /** Mostly a member, and mostly one who may not do everything. */
  somebody({ members }: Place): Person {
    const inside = this.people.filter(({ id }) => members.has(id));
    const limited = inside.filter(({ id }) => members.get(id)!.role !== 'owner');
    if (this.random.percent(15)) return this.random.pick(this.people);
    return this.random.pick(this.random.percent(70) && limited.length > 0 ? limited : inside);
  }

  /** Half of the time something of their own that is in force. */
  entry({ entries }: Place, { id }: Person): Entry {
    const own = entries.filter(({ by, superseded, is_void }) => by === id && !superseded && !is_void);
    return this.random.pick(this.random.percent(50) && own.length > 0 ? own : entries);
  }

  membership({ meter_ids }: Place): Membership {
    const role = this.random.pick([...ROLES, 'tenant', 'tenant', 'reader'] as const);
    const granted = this.random.shuffle(meter_ids).slice(0, this.random.int(1, 3));
    return { role, meter_ids: role === 'tenant' ? granted : null };
  }

  value(meter_id: number): string {
    return `${this.random.int(1, 99999)}${mark(meter_id)}`;
  }

  fresh(): string {
    this.#minutes += 1;
    return new Date(START_MS + this.#minutes * 60_000).toISOString();
  }
}

const outcome = ({ status, body }: CallResult): Outcome => (status < 300 ? 'success' : body.code);
const sent = ({ role, meter_ids }: Membership) => ({ role, ...(meter_ids ? { meter_ids } : {}) });

/** Learns from an owner what a change has put into the ledger. */
async function learn(world: World, place: Place, entry: Entry, by: number): Promise<void> {
  const [owner_id] = [...place.members].find(([, { role }]) => role === 'owner')!;
  const owner = world.people.find(({ id }) => id === owner_id)!;
  const { body } = await world.call(owner, 'GET', `/api/readings/${entry.id}/revisions?limit=1000`);
  const { id, batch_id, kind, supersedes_id, recorded_by_user_id } = body.items.at(-1);
  expect([supersedes_id, recorded_by_user_id]).toEqual([entry.id, by]);
  entry.superseded = true;
  const { meter_id } = entry;
  place.entries.push({ id, batch_id, meter_id, by, is_void: kind === 'void', superseded: false });
}

type Step = (world: World, place: Place, who: Person) => Promise<[string, Outcome, Outcome]>;

const STEPS_OF: Record<string, Step> = {
  async setMember(world, place, who) {
    const target = world.somebody(place).id;
    const to = world.membership(place);
    const path = `/api/properties/${place.property_id}/users/${target}`;
    const answer = await world.call(who, 'POST', path, sent(to));
    return [
      `${target} → ${to.role} ${to.meter_ids}`,
      outcome(answer),
      model.setMember(place, who.id, target, to),
    ];
  },
  async removeMember(world, place, who) {
    const target = world.random.percent(40) ? who.id : world.somebody(place).id;
    const answer = await world.call(who, 'DELETE', `/api/properties/${place.property_id}/users/${target}`);
    return [`${target}`, outcome(answer), model.removeMember(place, who.id, target)];
  },
  async invite(world, place, who) {
    const to = world.membership(place);
    const path = `/api/properties/${place.property_id}/invitations`;
    const answer = await world.call(who, 'POST', path, sent(to));
    const expected = model.admitted(place, who.id, 'owner');
    const { id, token } = answer.body;
    if (expected === 'success') place.invitations.push({ ...to, id, token, by: who.id, state: 'open' });
    return [`as ${to.role}`, outcome(answer), expected];
  },
  async accept(world, place, who) {
    const invitation = world.random.pick(place.invitations);
    const answer = await world.call(who, 'POST', `/api/invitations/${invitation.token}/accept`);
    return [`${invitation.id}`, outcome(answer), model.accept(place, who.id, invitation)];
  },
  async revoke(world, place, who) {
    const invitation = world.random.pick(place.invitations);
    const path = `/api/properties/${place.property_id}/invitations/${invitation.id}`;
    return [
      `${invitation.id}`,
      outcome(await world.call(who, 'DELETE', path)),
      model.revoke(place, who.id, invitation),
    ];
  },
  async share(world, place, who) {
    const share_totals_with_tenants = world.random.percent(50);
    const path = `/api/properties/${place.property_id}`;
    const answer = await world.call(who, 'PATCH', path, { share_totals_with_tenants });
    const expected = model.admitted(place, who.id, 'owner');
    if (expected === 'success') place.shares_totals = share_totals_with_tenants;
    return [`${share_totals_with_tenants}`, outcome(answer), expected];
  },
  async record(world, place, who) {
    const meter_id = world.random.pick(place.meter_ids);
    const reading = { meter_id, reading_timestamp: world.fresh(), value: world.value(meter_id) };
    const note = `canary note ${meter_id}.`;
    const answer = await world.call(who, 'POST', '/api/readings', { ...reading, note });
    const expected = model.admittedTo(place, who.id, meter_id, 'tenant');
    const { id, batch_id } = answer.body;
    if (expected === 'success')
      place.entries.push({ id, batch_id, meter_id, by: who.id, is_void: false, superseded: false });
    return [`at ${meter_id}`, outcome(answer), expected];
  },
  async correct(world, place, who) {
    const entry = world.entry(place, who);
    const body = { value: world.value(entry.meter_id), reason: 'misread' };
    const answer = await world.call(who, 'PATCH', `/api/readings/${entry.id}`, body);
    const expected = model.change(place, who.id, entry);
    if (expected === 'success' && outcome(answer) === 'success') await learn(world, place, entry, who.id);
    return [`${entry.id}`, outcome(answer), expected];
  },
  async voids(world, place, who) {
    const entry = world.entry(place, who);
    const answer = await world.call(who, 'DELETE', `/api/readings/${entry.id}`);
    const expected = model.change(place, who.id, entry);
    if (expected === 'success' && outcome(answer) === 'success') await learn(world, place, entry, who.id);
    return [`${entry.id}`, outcome(answer), expected];
  },
  async undo(world, place, who) {
    const entry = world.entry(place, who);
    const path = `/api/properties/${place.property_id}/ledger/${entry.batch_id}/undo`;
    const answer = await world.call(who, 'POST', path, { reason: 'a slip' });
    const expected = model.undo(place, who.id, entry);
    if (expected === 'success' && outcome(answer) === 'success') await learn(world, place, entry, who.id);
    return [`${entry.batch_id}`, outcome(answer), expected];
  },
};
/** Recording is what people mostly do. */
const USUAL = [
  ...Object.keys(STEPS_OF),
  ...['record', 'record', 'record', 'record', 'correct', 'correct', 'voids', 'undo', 'setMember', 'accept'],
];

const OWNERS_DO = ['setMember', 'removeMember', 'invite', 'revoke', 'share'];

/** Somebody tries something; the server must answer as the model does. @returns what it was */
export async function step(world: World): Promise<string> {
  const place = world.random.pick(world.places);
  let name = world.random.pick(USUAL);
  if (['accept', 'revoke'].includes(name) && place.invitations.length === 0) name = 'invite';
  if (['correct', 'voids', 'undo'].includes(name) && place.entries.length === 0) name = 'record';
  const owners = world.people.filter(({ id }) => place.members.get(id)?.role === 'owner');
  const by_owner = OWNERS_DO.includes(name) && world.random.percent(60);
  const who = by_owner ? world.random.pick(owners) : world.somebody(place);
  const [what, found, expected] = await STEPS_OF[name]!(world, place, who);
  const told = `${who.username} ${name} ${what} in ${place.property_id}`;
  expect([told, found]).toEqual([told, expected]);
  return told;
}
