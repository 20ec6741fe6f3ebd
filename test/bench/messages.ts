/** SDP of a browser as long as asked for: candidates fill it up. */
export function browserSdp(bytes: number): string {
  const lines = [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:ETEn',
    'a=ice-pwd:OtSK0WpNtpUjkY4+86js7Z/l',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '5E').join(':')}`,
    'a=setup:actpass',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:126 telephone-event/8000',
  ];
  let size = lines.join('\r\n').length + 2;
  for (let i = 1; size < bytes; i++) {
    const line = `a=candidate:${i} 1 udp 2122260223 192.0.2.${i % 250} ${40000 + i} typ host generation 0 network-id ${i}`;
    lines.push(line);
    size += line.length + 2;
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** An INVITE as a browser sends it, of about 3 KB with its SDP. */
export function browserInvite(): Buffer {
  const sdp = browserSdp(2048);
  const head = [
    'INVITE sip:bob@example.com SIP/2.0',
    'Via: SIP/2.0/WSS 8kflj2s9d0qp.invalid;branch=z9hG4bK9316713',
    'Max-Forwards: 69',
    'To: <sip:bob@example.com>',
    'From: "Alice" <sip:alice@example.com>;tag=u0mph4jmsn',
    'Call-ID: qc5vkhu3dp2k7pfs6c0e',
    'CSeq: 3186 INVITE',
    'Route: <sip:gw.example.com;transport=ws;lr>',
    'Authorization: Digest algorithm=MD5, username="alice", realm="example.com", nonce="5a1b6c7d8e9f00112233445566778899aabbccdd", uri="sip:bob@example.com", response="6629fae49393a05397450978507c4ef1", qop=auth, cnonce="0a4f113b", nc=00000001',
    'Contact: <sip:alice@8kflj2s9d0qp.invalid;transport=ws;ob>;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"',
    'Allow: ACK,CANCEL,INVITE,MESSAGE,BYE,OPTIONS,INFO,NOTIFY,REFER',
    'Supported: outbound,100rel,replaces',
    'User-Agent: Softphone/1.0 (browser)',
    'Session-Expires: 90',
    'Content-Type: application/sdp',
    `Content-Length: ${Buffer.byteLength(sdp)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${sdp}`);
}
