import type { LocalTransport } from '../../sdp/description.js';
import type { ReceivedDescription, VideoToWrite } from '../../sdp/offer-answer.js';
import { offeredVideo } from '../../sdp/offered-streams.js';
import type { Exchange } from './exchange.js';
import type { RelayEnd } from './relay-end.js';

/**
 * The video to offer, with our ports; undefined when the ends share none. The offerer's ports are taken too, so that a
 * shortage shows at offer time. `audio` is what the offer says of the audio's transport.
 */
export async function openVideo(
  received: ReceivedDescription,
  offerer: RelayEnd,
  answerer: RelayEnd,
  audio: LocalTransport,
): Promise<VideoToWrite | undefined> {
  const stream = offeredVideo(received, offerer.sdp, answerer.sdp);
  if (stream === undefined) return undefined;
  const [transport] = await Promise.all([answerer.openVideo(audio), offerer.videoTransport.reserve()]);
  return { stream, transport };
}

/** The video to answer with; undefined when there is none. */
export async function answerVideo(
  { offerer, received }: Exchange,
  { video }: ReceivedDescription,
  audio: LocalTransport,
): Promise<VideoToWrite | undefined> {
  if (received.video === undefined || video === undefined) return undefined;
  return { stream: video.stream, transport: await offerer.openVideo(audio) };
}

/** What both ends have said about their video holds from now on: send there. */
export function aimVideo({ offerer, answerer, received }: Exchange, { video }: ReceivedDescription): void {
  if (received.video === undefined || video === undefined) return;
  answerer.aimVideo(video.section);
  offerer.aimVideo(received.video.section);
}
