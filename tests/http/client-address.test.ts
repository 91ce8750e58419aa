/** Whose word counts for the address of a client, seen by what is counted together. */
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/server/config.ts';
import { startServer } from '../support/server.ts';
import { counts } from '../support/tables.ts';

describe('whose address counts', () => {
  const cases: [string, string, string | undefined, string][] = [
    ['off', 'off', '203.0.113.1', '127.0.0.1'],
    ['by default', '', '203.0.113.1', '127.0.0.1'],
    ['one proxy', '1', '203.0.113.1', '203.0.113.1'],
    ['one proxy and a forged address', '1', '198.51.100.9, 203.0.113.1', '203.0.113.1'],
    ['one proxy and no header', '1', undefined, '127.0.0.1'],
    ['two proxies', '2', '198.51.100.9, 203.0.113.1, 10.0.0.1', '203.0.113.1'],
    ['two proxies, one of them passed by', '2', '203.0.113.1', '203.0.113.1'],
    ['the proxy is in the network', '127.0.0.0/8', '198.51.100.9, 203.0.113.1', '203.0.113.1'],
    [
      'networks behind each other',
      '127.0.0.1, 10.0.0.0/8',
      '198.51.100.9,203.0.113.1,10.1.2.3',
      '203.0.113.1',
    ],
    ['the proxy is not in the network', '10.0.0.0/8,fd00::/8', '203.0.113.1', '127.0.0.1'],
    ['an IPv6 client: its /64', '1', '2001:db8:0:7::1', '2001:db8:0:7:ffff::2'],
    ['an IPv4 client in the clothes of IPv6', '1', '::ffff:203.0.113.1', '203.0.113.1'],
  ];
  test.each(cases)('%s', async (_, trust, forwarded, client) => {
    const server = await startServer(
      'sqlite',
      { clock: () => Date.parse('2026-06-15T12:00:00Z') },
      { RATE_LIMIT: 'on', ...(trust ? { TRUST_PROXY: trust } : {}) },
    );
    const mark = (address: string | undefined) => {
      const headers = address === undefined ? {} : { 'x-forwarded-for': address };
      return server.call('POST', '/api/auth/login', { body: {}, headers });
    };
    const rows = async () => (await counts(server.db)).request_counts;
    await mark(forwarded);
    // The same client under its plain name counts into the same row, and nobody else does.
    if (/^([1-9]|10|127)/.test(trust)) {
      if (client !== '127.0.0.1') await mark(client + (trust === '2' ? ', 10.0.0.1' : ''));
      expect(await rows()).toBe(1);
      await mark(trust === '2' ? '192.0.2.77, 10.0.0.1' : '192.0.2.77');
      expect(await rows()).toBe(trust.startsWith('10.') ? 1 : 2);
    } else {
      await mark('192.0.2.77');
      await mark(undefined);
      expect(await rows()).toBe(1);
    }
    await server.close();
  });
});

test.each(['yes', '0', '11', '1.5', 'example.com', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/8,', 'fd00::/129'])(
  'TRUST_PROXY=%s stops the start',
  (text) => {
    expect(() => loadConfig({ TRUST_PROXY: text })).toThrow(/^TRUST_PROXY must be off, a number of hops/);
  },
);
