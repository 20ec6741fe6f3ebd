import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../sip/clock.js';
import { RotatingFile } from '../../gateway/cdr/rotating-file.js';
import { Spool } from '../../gateway/cdr/spool.js';

/**
 * A program: writes the same lines to the file and to the queue in a folder whose disk is full (the kernel lets a file grow
 * to 1,000 bytes only, in the middle of a line), gets room, and writes on. Prints as JSON what it was told.
 */

const [folder = ''] = process.argv.slice(2);
const linesBefore = 10;

/** To the byte: a write that would go beyond is done in part, and the next one fails (setrlimit(2)). */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

const line = (index: number): string => JSON.stringify({ callId: `c_${index}`, pad: 'x'.repeat(230) });

const file = new RotatingFile({
  path: join(folder, 'file'),
  maxBytes: 0,
  keep: 1,
  clock: { ...systemClock, after: (ms, act) => systemClock.after(ms / 100, act) },
  failed: (cause) => told.failed.push(String(cause)),
  lost: (lost) => told.lost.push(lost),
});
const spool = await Spool.open(join(folder, 'queue'), 1024 * 1024);
const told = { failed: new Array<string>(), lost: new Array<string>(), notQueued: new Array<number>() };

limitFiles(1_000);
for (let index = 0; index < linesBefore; index += 1) {
  file.write(line(index));
  await spool.add(line(index)).catch(() => told.notQueued.push(index));
}
while (told.failed.length === 0) await pause(50);
limitFiles('unlimited');
file.write(line(linesBefore));
await spool.add(line(linesBefore));
while (file.waiting > 0) await pause(50);
await file.close();

const queued = await spool.peek(100);
await spool.close();
process.stdout.write(JSON.stringify({ ...told, queued: queued.map(({ text }) => text) }));
