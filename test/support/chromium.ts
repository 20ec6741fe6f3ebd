import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { writeToneWav } from './tone.js';

/** The flags with which Chromium is known to run unattended, offline and as root. */
const quietFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A microphone that needs no person and no hardware, ICE over loopback, and no question about the local network, which
 * Chromium asks from version 142 on.
 */
const mediaFlags = [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebRTC,WebRtcHideLocalIpsWithMdns',
];

/** A running browser whose every page speaks one tone into its microphone. */
export interface TestBrowser {
  readonly browser: Browser;
  readonly microphoneHz: number;
  close(): Promise<void>;
}

/**
 * Starts a Chromium with a sine tone for a microphone. One process has one microphone: two callers with different tones
 * need two browsers.
 */
export async function launchChromium(executablePath: string, microphoneHz: number): Promise<TestBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'webtrunk-chromium-'));
  const wav = join(folder, 'microphone.wav');
  writeToneWav(wav, microphoneHz);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const browser = await chromium.launch({
      executablePath,
      headless: true,
      args: [...quietFlags, ...mediaFlags, `--use-file-for-fake-audio-capture=${wav}`],
    });
    return {
      browser,
      microphoneHz,
      close: async () => {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
