import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildProgram } from './child-program.js';

const readyWithinMs = 10_000;
const askEveryMs = 100;

/**
 * Starts Kamailio with this configuration and waits until it answers OPTIONS on that UDP port of 127.0.0.1. `files` are
 * put into the folder that it runs in.
 */
export async function startKamailio(
  program: string,
  config: string,
  udpPort: number,
  files: Readonly<Record<string, string>> = {},
): Promise<ChildProgram> {
  const folder = ChildProgram.createFolder('kamailio');
  const texts = { ...files, 'kamailio.cfg': config };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const configFile = join(folder, 'kamailio.cfg');
  const args = ['-f', configFile, '-DD', '-E', '-Y', folder, '-w', folder, '-m', '32', '-M', '8'];
  const kamailio = ChildProgram.start(program, args, folder);
  try {
    await answers(kamailio, udpPort);
  } catch (error) {
    await kamailio.stop();
    throw error;
  }
  return kamailio;
}

async function answers(kamailio: ChildProgram, port: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      const ask = (): void => {
        if (!kamailio.running) return reject(new Error(`kamailio has ended:\n${kamailio.output}`));
        socket.send(optionsText(port, socket.address().port), port, '127.0.0.1');
      };
      const asking = setInterval(ask, askEveryMs);
      const late = setTimeout(() => {
        reject(new Error(`kamailio is silent:\n${kamailio.output}`));
      }, readyWithinMs);
      socket.on('message', () => resolve());
      socket.on('close', () => {
        clearInterval(asking);
        clearTimeout(late);
      });
      socket.bind(0, '127.0.0.1', ask);
    });
  } finally {
    socket.close();
  }
}

function optionsText(port: number, from: number): string {
  return [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bKready${from}`,
    'Max-Forwards: 5',
    `From: <sip:test@127.0.0.1:${from}>;tag=ready`,
    `To: <sip:127.0.0.1:${port}>`,
    `Call-ID: ready-${from}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
