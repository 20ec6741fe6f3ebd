import assert from 'node:assert/strict';
import { readCommand } from '../../../gateway/process/command.js';
import { UsageError } from '../../../gateway/process/usage.js';

describe('command line', () => {
  const right: [args: string[], command: object][] = [
    [['start'], { name: 'start', config: undefined }],
    [['start', '--config', 'a.yaml'], { name: 'start', config: 'a.yaml' }],
    [['start', '-c', 'a.yaml'], { name: 'start', config: 'a.yaml' }],
    [['check'], { name: 'check', file: 'webtrunk.yaml' }],
    [['check', 'a.yaml'], { name: 'check', file: 'a.yaml' }],
    [
      ['user', 'passwd', 'alice', 'Example.com', '--file', 'f'],
      { name: 'user passwd', user: 'alice', domain: 'example.com', file: 'f' },
    ],
    [['user', 'list'], { name: 'user list', file: 'users.htdigest' }],
    [['user', 'hash', 'alice', 'Example.com'], { name: 'user hash', user: 'alice', domain: 'example.com' }],
    [
      ['route', '+15551234567', '--as', 'alice', '--at', '2026-12-24T20:00Z', '-c', 'a.yaml'],
      {
        name: 'route',
        file: 'a.yaml',
        dialled: '+15551234567',
        as: 'alice',
        fromTrunk: undefined,
        atMs: Date.parse('2026-12-24T20:00Z'),
      },
    ],
    [
      ['route', '600', '--from-trunk', 'office'],
      {
        name: 'route',
        file: 'webtrunk.yaml',
        dialled: '600',
        as: undefined,
        fromTrunk: 'office',
        atMs: undefined,
      },
    ],
    [['--help'], { name: 'help' }],
    [['start', '-h'], { name: 'help' }],
    [['--version'], { name: 'version' }],
  ];
  for (const [args, command] of right) {
    it(`understands ${args.join(' ')}`, () => assert.deepEqual(readCommand(args), command));
  }

  const wrong: [args: string[], message: RegExp][] = [
    [[], /a command is missing/],
    [['stat'], /there is no command stat/],
    [['start', 'a.yaml'], /meant --config a.yaml\?/],
    [['start', '--confg', 'a.yaml'], /--confg/],
    [['start', '--config'], /--config/],
    [['check', 'a', 'b'], /one file/],
    [['check', '--config', 'a'], /--config is not for check/],
    [['user', 'add', 'alice'], /user add\|passwd\|remove\|hash NAME DOMAIN/],
    [['check', '--file', 'x'], /--file is not for check/],
    [['user', 'hash', 'al:ice', 'x'], /colons/],
    [['route', '--as', 'alice'], /one number/],
    [['route', '600'], /--as USER, or --from-trunk TRUNK/],
    [['route', '600', '--as', 'alice', '--at', 'noon'], /noon is not a time/],
    [['start', '--as', 'alice'], /--as is not for start/],
  ];
  for (const [args, message] of wrong) {
    it(`refuses ${args.join(' ') || 'nothing at all'}`, () => {
      assert.throws(
        () => readCommand(args),
        (thrown) => thrown instanceof UsageError && message.test(thrown.message),
      );
    });
  }
});
