/** RTCP packet types (RFC 3550 §12.1, RFC 2032 §5.2.1, RFC 4585 §6.1). */
const receiverReport = 201;
const fullIntraRequest = 192;
const payloadFeedback = 206;
/** Of payload feedback: picture loss indication (RFC 4585 §6.3.1). */
const pictureLoss = 1;

/** A receiver report without blocks, as every RTCP packet must begin, and a request for a whole picture of `mediaSsrc`. */
export function pictureRequest(senderSsrc: number, mediaSsrc: number): Buffer {
  const packet = Buffer.alloc(20);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(receiverReport, 1);
  packet.writeUInt16BE(1, 2);
  packet.writeUInt32BE(senderSsrc, 4);
  packet.writeUInt8(0x80 | pictureLoss, 8);
  packet.writeUInt8(payloadFeedback, 9);
  packet.writeUInt16BE(2, 10);
  packet.writeUInt32BE(senderSsrc, 12);
  packet.writeUInt32BE(mediaSsrc, 16);
  return packet;
}

/** True for the request of RFC 2032, which names no stream. The packet has 8 bytes at least. */
export function isOldPictureRequest(packet: Buffer): boolean {
  return packet[1] === fullIntraRequest;
}
