import assert from 'node:assert/strict';
import { originVersion } from '../../support/media-session.js';
import { codecNames, mediaLines, sdpEnd, SdpPair } from '../../support/sdp-ends.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';

const videoEnd = (profile: 'webrtc' | 'plain'): ReturnType<typeof sdpEnd> =>
  sdpEnd(profile, { video: ['VP8', 'H264'] });

/** A video phone's answer: PCMU and H.264 with the numbers of our offer. */
const phoneAnswer = (h264: number): string =>
  `${pbxSdp('0')}m=video 9078 RTP/AVP ${h264}\r\na=rtpmap:${h264} H264/90000\r\na=fmtp:${h264} profile-level-id=42801F;packetization-mode=1\r\n`;

const section = (text: string, kind: string): string =>
  text.split(/(?=^m=)/m).find((one) => one.startsWith(`m=${kind} `)) ?? '';

describe('video from a browser', () => {
  it('is offered to an end that takes it with VP8 and H.264 alone, without feedback and retransmission', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const { text } = pair.offer(fixture('av-offer')).sent;
    assert.deepEqual(codecNames(text, 'video'), ['VP8/90000', 'H264/90000', 'H264/90000']);
    assert.match(text, /^m=video 20010 RTP\/AVP 96 /m);
    assert.doesNotMatch(text, /rtcp-fb|apt=|ssrc|mid:/);
  });

  it('of Firefox, bundle-only with port 0, is offered too', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const { text } = pair.offer(fixture('firefox-offer')).sent;
    assert.deepEqual(codecNames(text, 'video'), ['VP8/90000', 'H264/90000', 'H264/90000']);
  });

  it('that the PBX takes is answered in its place, bundled, with the picture requests that were offered', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const offer = pair.offer(fixture('av-offer'));
    const reply = pair.answer(offer, phoneAnswer(102));
    assert.deepEqual(mediaLines(reply), [
      'audio 20002 UDP/TLS/RTP/SAVPF 0',
      'video 20002 UDP/TLS/RTP/SAVPF 102',
    ]);
    assert.match(reply, /^a=group:BUNDLE 0 1\r$/m);
    const video = section(reply, 'video');
    assert.deepEqual(video.match(/^a=rtcp-fb:.*(?=\r$)/gm), [
      'a=rtcp-fb:102 nack pli',
      'a=rtcp-fb:102 ccm fir',
    ]);
    assert.match(video, /^a=mid:1\r$/m);
  });

  it('that the PBX refuses is answered with port 0', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const refused = phoneAnswer(102).replace('m=video 9078', 'm=video 0');
    const reply = pair.answer(pair.offer(fixture('av-offer')), refused);
    assert.match(mediaLines(reply)[1] ?? '', /^video 0 /);
    assert.match(reply, /^a=group:BUNDLE 0\r$/m);
  });

  it('is not offered to an end that takes none', () => {
    const pair = new SdpPair(videoEnd('webrtc'), sdpEnd('plain'));
    assert.deepEqual(mediaLines(pair.offer(fixture('av-offer')).sent.text).length, 1);
  });

  it('can be added, stopped and added again, always on the same line', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const first = pair.offer(fixture('resume-sendrecv-offer'));
    pair.answer(first, pbxSdp('0'));
    const added = pair.offer(fixture('add-video-offer'));
    assert.equal(originVersion(added.sent.text), originVersion(first.sent.text) + 1);
    assert.match(mediaLines(pair.answer(added, phoneAnswer(102)))[1] ?? '', /^video 20002 /);
    const stopped = pair.offer(fixture('remove-video-stopped-offer'));
    assert.match(mediaLines(stopped.sent.text)[1] ?? '', /^video 0 /);
    assert.match(
      mediaLines(pair.answer(stopped, phoneAnswer(102).replace('9078', '0')))[1] ?? '',
      /^video 0 /,
    );
    const again = pair.offer(fixture('add-video-offer'));
    assert.deepEqual(mediaLines(again.sent.text), mediaLines(added.sent.text));
  });
});

describe('video of a browser outside the BUNDLE group', () => {
  const alone = fixture('av-offer').replace('BUNDLE 0 1', 'BUNDLE 0');

  it('is left out where the media engine has one transport', () => {
    const pair = new SdpPair(videoEnd('webrtc'), videoEnd('plain'));
    const offer = pair.offer(alone);
    assert.deepEqual(mediaLines(offer.sent.text).length, 1);
    assert.match(mediaLines(pair.answer(offer, pbxSdp('0')))[1] ?? '', /^video 0 /);
  });

  it('is taken where it has one for each line, and bundle-only video is left out', () => {
    const own = (): SdpPair =>
      new SdpPair(
        sdpEnd('webrtc', { video: ['VP8'], bundlesVideo: false }),
        sdpEnd('plain', { video: ['VP8'] }),
      );
    assert.deepEqual(codecNames(own().offer(alone).sent.text, 'video'), ['VP8/90000']);
    assert.deepEqual(mediaLines(own().offer(fixture('firefox-offer')).sent.text).length, 1);
  });
});

describe('video from a PBX', () => {
  it('gets numbers of its own towards a browser, and keeps them towards the PBX', () => {
    const pair = new SdpPair(videoEnd('plain'), videoEnd('webrtc'));
    const offer = fixture('video-phone-offer').replaceAll(/\b96\b/g, '101');
    const { text } = pair.offer(offer).sent;
    const [audio = '', video = ''] = mediaLines(text);
    assert.match(audio, / 101$/);
    const numbers = `${audio} ${video}`.split(' ').filter((word) => /^\d{1,3}$/.test(word));
    assert.equal(new Set(numbers).size, numbers.length, text);
  });

  it('has the codecs that the trunk lists, in its order', () => {
    const pbx = (...video: string[]): SdpPair => new SdpPair(sdpEnd('plain', { video }), videoEnd('webrtc'));
    const offer = fixture('video-phone-offer');
    assert.deepEqual(codecNames(pbx('VP8').offer(offer).sent.text, 'video'), ['VP8/90000']);
    const { text } = pbx('H264', 'VP8').reversed.offer(fixture('av-offer')).sent;
    assert.deepEqual(codecNames(text, 'video'), ['H264/90000', 'H264/90000', 'VP8/90000']);
  });

  it('is offered to a browser on a line of its own, bundled, with its bandwidth', () => {
    const pair = new SdpPair(videoEnd('plain'), videoEnd('webrtc'));
    const { text } = pair.offer(fixture('video-phone-offer')).sent;
    assert.deepEqual(mediaLines(text), [
      'audio 20002 UDP/TLS/RTP/SAVPF 0 8 101',
      'video 20002 UDP/TLS/RTP/SAVPF 96 97',
    ]);
    assert.match(text, /^a=group:BUNDLE 0 1\r$/m);
    const video = section(text, 'video');
    assert.match(video, /^b=AS:1024\r$/m);
    assert.match(video, /^a=rtcp-fb:96 nack pli\r$/m);
    assert.doesNotMatch(video, /H263|rtcp-fb:\* /);
    assert.doesNotMatch(section(text, 'audio'), /^b=/m);
  });

  it('is answered with the numbers of the PBX', () => {
    const pair = new SdpPair(videoEnd('plain'), videoEnd('webrtc'));
    const offer = pair.offer(fixture('video-phone-offer'));
    const browser = fixture('chromium-answer-to-g711-pbx-offer')
      .replace('a=mid:1', 'a=mid:0')
      .replace('t=0 0', 't=0 0\r\na=group:BUNDLE 0 1');
    const audio = section(browser, 'audio');
    const video = audio
      .replace(/^m=audio (\d+) UDP\/TLS\/RTP\/SAVPF .*\r$/m, 'm=video $1 UDP/TLS/RTP/SAVPF 97\r')
      .replace('a=mid:0', 'a=mid:1')
      .replaceAll(/a=(?:rtpmap|fmtp):.*\r\n/g, '');
    const answered = `${browser}${video}a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n`;
    const reply = pair.answer(offer, answered);
    assert.deepEqual(mediaLines(reply), ['audio 20000 RTP/AVP 0 101', 'video 20010 RTP/AVP 97']);
    const back = pair.reversed.offer(answered.replaceAll('a=setup:active', 'a=setup:actpass'));
    assert.deepEqual(mediaLines(back.sent.text), mediaLines(reply));
  });
});
