import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../sip/clock.js';
import type { SipFailure } from '../../../sip/failure.js';
import type { RoutingConfig } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { openDecider } from '../../../gateway/routing/routing-decider.js';
import { passwordOf, startGateway } from '../../support/gateway.js';
import { sdp } from '../../support/sip-peer.js';
import { WsSipClient } from '../../support/ws-sip-client.js';
import type { RoutingAnswer, RoutingQuestion } from '../../../gateway/routing/routing-hook.js';

const question: RoutingQuestion = {
  dialled: '600',
  requestUri: 'sip:600@example.com',
  from: 'user',
  caller: 'alice',
  domain: 'example.com',
  at: '2026-11-23T12:00:00.000Z',
};
const trunks = ['office', 'backup'];

describe('a routing hook', () => {
  const failures: string[] = [];
  let folder: string;
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
    server = createServer((request, response) => answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  beforeEach(() => failures.splice(0));

  const decide = async (
    hook: RoutingConfig['hook'],
    change: Partial<RoutingConfig> = {},
  ): Promise<RoutingAnswer | undefined> => {
    const decider = await openDecider({
      routing: { hook, timeoutMs: 2_000, fallback: 'routes', ...change },
      failed: (why, fallback) => failures.push(`${fallback}: ${why}`),
      clock: systemClock,
    });
    return decider.decide(question, trunks);
  };

  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/route`;

  const rejected = (thrown: SipFailure): boolean =>
    thrown.code === 'route.hook_failed' && thrown.status === 503;

  describe('over HTTP', () => {
    const ask = (change?: Partial<RoutingConfig>, token?: string) => {
      const secret = token === undefined ? undefined : new Secret(token);
      return decide({ kind: 'http', url: url(), token: secret }, change);
    };
    const saying = (status: number, body = ''): void => {
      answer = (request, response) => {
        request.resume();
        response.writeHead(status).end(body);
      };
    };

    it('gets the call as JSON, with its token, and decides', async () => {
      const got: string[] = [];
      answer = (request, response) => {
        got.push(`${request.method ?? ''} ${request.headers.authorization ?? ''}`);
        request.on('data', (chunk: Buffer) => got.push(chunk.toString()));
        const decision = { to: { trunks: ['backup'] }, number: '+15550600', name: 'by-http' };
        request.on('end', () => response.writeHead(200).end(JSON.stringify(decision)));
      };
      assert.deepEqual(await ask({}, 'word'), {
        to: { trunks: ['backup'] },
        number: '+15550600',
        name: 'by-http',
      });
      assert.equal(got[0], 'POST Bearer word');
      assert.deepEqual(JSON.parse(got[1] ?? ''), question);
      assert.deepEqual(failures, []);
    });

    it('leaves it to the routes with 204, or with null', async () => {
      saying(204);
      assert.equal(await ask(), undefined);
      saying(200, 'null');
      assert.equal(await ask(), undefined);
      assert.deepEqual(failures, []);
    });

    const useless: readonly [what: string, status: number, body: string, why: RegExp][] = [
      ['another status', 500, '', /answered 500/],
      ['a redirection', 302, '', /fetch failed|redirect/],
      ['no JSON', 200, 'office', /JSON/],
      ['JSON that is no answer', 200, '{"to":{"trunk":"office"}}', /not an answer/],
      ['a status that refuses nothing', 200, '{"to":{"reject":200}}', /not an answer/],
      ['a number that would end the URI', 200, '{"to":"users","number":"6@evil"}', /not an answer/],
      ['a trunk that is not there', 200, '{"to":{"trunks":["ofice"]}}', /there is no trunk ofice/],
      ['more than anybody needs', 200, `"${'x'.repeat(70_000)}"`, /more than 65536 bytes/],
    ];
    for (const [what, status, body, why] of useless) {
      it(`is passed over, and that is told, when it answers ${what}`, async () => {
        saying(status, body);
        assert.equal(await ask(), undefined);
        assert.match(failures.join(), why);
        await assert.rejects(ask({ fallback: 'reject' }), rejected);
      });
    }

    it('is passed over when it is late, and the request is broken off', async () => {
      let closed: Promise<unknown> | undefined;
      answer = (request) => {
        closed = once(request.socket, 'close');
      };
      assert.equal(await ask({ timeoutMs: 60 }), undefined);
      assert.deepEqual(failures, ['routes: no answer within 60 ms']);
      await closed;
    });

    it('is passed over when nobody is there', async () => {
      const nobody = { kind: 'http', url: 'http://127.0.0.1:1/', token: undefined } as const;
      assert.equal(await decide(nobody), undefined);
      assert.match(failures.join(), /fetch failed: .+/);
    });
  });

  describe('in a module', () => {
    let count = 0;
    const write = async (text: string): Promise<RoutingConfig['hook']> => {
      const path = join(folder, `hook-${(count += 1)}.mjs`);
      await writeFile(path, text);
      return { kind: 'module', path };
    };

    it('gets the call, and decides at once or later', async () => {
      const at = await write(
        'export default ({ dialled, caller }) => ({ to: { user: caller }, number: dialled });',
      );
      assert.deepEqual(await decide(at), { to: { user: 'alice' }, number: '600' });
      const later = await write('export default async () => ({ to: { reject: 486 } });');
      assert.deepEqual(await decide(later), { to: { reject: 486 } });
    });

    it('leaves it to the routes by giving nothing', async () => {
      assert.equal(await decide(await write('export default () => undefined;')), undefined);
      assert.deepEqual(failures, []);
    });

    it('is passed over when it throws, gives nonsense, or is late', async () => {
      await decide(await write('export default () => { throw new Error("no luck"); };'));
      await decide(await write('export default async () => { throw new Error("no luck later"); };'));
      await decide(await write('export default () => 7;'));
      await decide(await write('export default () => new Promise(() => {});'), { timeoutMs: 50 });
      assert.deepEqual(
        failures.map((line) => line.replace(/: not an answer.*/, ': not an answer')),
        [
          'routes: no luck',
          'routes: no luck later',
          'routes: not an answer',
          'routes: no answer within 50 ms',
        ],
      );
    });

    it('must be there, readable and export a function', async () => {
      const missing = { kind: 'module', path: join(folder, 'none.mjs') } as const;
      await assert.rejects(decide(missing), /none\.mjs cannot be loaded/);
      await assert.rejects(decide(await write('export default {')), /cannot be loaded/);
      await assert.rejects(
        decide(await write('export const hook = 1;')),
        /no function as its default export/,
      );
    });
  });

  describe('of a gateway', () => {
    it('decides about calls; when it fails the log and a counter tell it, and the routes decide', async () => {
      const path = join(folder, 'of-a-gateway.mjs');
      const text = `export default ({ dialled }) => {
        if (dialled === 'bob') throw new Error('no luck');
        return { to: { reject: 410 } };
      };`;
      await writeFile(path, text);
      const hook = { kind: 'module', path } as const;
      const gateway = await startGateway({ routing: { hook, timeoutMs: 1_000, fallback: 'routes' } });
      const alice = await WsSipClient.connect(gateway.wsUrl, {
        user: 'alice',
        password: passwordOf('alice'),
      });
      try {
        await alice.register();
        const dial = async (user: string): Promise<number> => {
          const headers = [`To: <sip:${user}@localhost>`, 'Content-Type: application/sdp'];
          const invite = alice.request('INVITE', `sip:${user}@localhost`, { headers, body: sdp(7000) });
          return (await alice.transact(invite)).status;
        };
        assert.equal(await dial('600'), 410);
        assert.equal(await dial('bob'), 480);
        assert.ok(
          gateway.lines.some(({ event, why }) => event === 'routing.hook_failed' && why === 'no luck'),
        );
        const counted = await gateway.metrics.text();
        assert.match(counted, /^webtrunk_routing_hook_failures_total\{fallback="routes"\} 1$/m);
      } finally {
        await alice.close();
        await gateway.close();
      }
    });

    it('that cannot be loaded keeps it from starting', async () => {
      const hook = { kind: 'module', path: join(folder, 'nowhere.mjs') } as const;
      await assert.rejects(
        startGateway({ routing: { hook, timeoutMs: 1_000, fallback: 'routes' } }),
        /nowhere\.mjs cannot be loaded/,
      );
    });
  });
});
