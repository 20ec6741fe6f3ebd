import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  type ECDH,
  type KeyObject,
  randomBytes,
  sign,
  type X509Certificate,
} from 'node:crypto';

/**
 * A DTLS 1.2 client by hand (RFC 6347, RFC 5246) with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: it can show one
 * certificate and sign with the key of another, which no library lets a test do.
 */

const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22 } as const;
const messageType = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;
const dtls12 = 0xfefd;
/** Of an alert by which the server says that CertificateVerify is not by the certificate's key (RFC 5246 §7.2.2). */
export const decryptError = 51;

export interface DtlsClientOptions {
  readonly certificate: X509Certificate;
  readonly signingKey: KeyObject;
  send(datagram: Buffer): void;
  /** The next datagram from the server. */
  receive(): Promise<Buffer>;
}

/** How the server ended the handshake: by finishing it, or by an alert with that description. */
export type DtlsOutcome = 'finished' | number;

interface Fragments {
  readonly type: number;
  readonly body: Buffer;
  missing: number;
}

export class DtlsClient {
  readonly #random = randomBytes(32);
  readonly #transcript: Buffer[] = [];
  readonly #messages = new Map<number, Fragments>();
  readonly #recordSequence = [0, 0];
  #messageSequence = 0;
  #serverRandom: Buffer = Buffer.alloc(0);
  #serverPoint: Buffer = Buffer.alloc(0);
  #nextFromServer = 0;

  constructor(private readonly options: DtlsClientOptions) {}

  async handshake(): Promise<DtlsOutcome> {
    const hello = this.#message(messageType.clientHello, this.#clientHello());
    const sendHello = (): void => this.options.send(this.#record(contentType.handshake, 0, hello));
    sendHello();
    // The server's DTLS starts a moment after its ICE: the first flight is sent again until something comes back
    // (RFC 6347 §4.2.4).
    const timer = setInterval(sendHello, 50);
    try {
      for (;;) {
        const outcome = this.#take(await this.options.receive());
        clearInterval(timer);
        if (outcome === 'answer') this.#answer();
        else if (outcome !== undefined) return outcome;
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Reads the records of a datagram. */
  #take(datagram: Buffer): DtlsOutcome | 'answer' | undefined {
    let outcome: DtlsOutcome | 'answer' | undefined;
    for (let at = 0; at + 13 <= datagram.length;) {
      const type = datagram.readUInt8(at);
      const epoch = datagram.readUInt16BE(at + 3);
      const end = at + 13 + datagram.readUInt16BE(at + 11);
      const fragment = datagram.subarray(at + 13, end);
      at = end;
      if (type === contentType.alert && epoch === 0) return fragment.readUInt8(1);
      // The server's Finished is the first record that it encrypts; only the right keys bring it there.
      if (epoch === 1) outcome = 'finished';
      if (type === contentType.handshake && epoch === 0 && this.#takeHandshake(fragment)) outcome = 'answer';
    }
    return outcome;
  }

  /** True when this completes ServerHelloDone. */
  #takeHandshake(fragment: Buffer): boolean {
    const length = fragment.readUIntBE(1, 3);
    const sequence = fragment.readUInt16BE(4);
    if (sequence < this.#nextFromServer) return false;
    const offset = fragment.readUIntBE(6, 3);
    const part = fragment.subarray(12, 12 + fragment.readUIntBE(9, 3));
    const type = fragment.readUInt8(0);
    const message = this.#messages.get(sequence) ?? { type, body: Buffer.alloc(length), missing: length };
    this.#messages.set(sequence, message);
    part.copy(message.body, offset);
    message.missing -= part.length;
    let isDone = false;
    for (;;) {
      const next = this.#messages.get(this.#nextFromServer);
      if (next === undefined || next.missing > 0) return isDone;
      this.#transcript.push(handshakeMessage(next.type, this.#nextFromServer, next.body));
      this.#nextFromServer += 1;
      if (next.type === messageType.serverHello) this.#serverRandom = next.body.subarray(2, 34);
      // curve_type, named_curve, then the point with its length (RFC 8422 §5.4).
      if (next.type === messageType.serverKeyExchange) {
        this.#serverPoint = next.body.subarray(4, 4 + next.body.readUInt8(3));
      }
      if (next.type === messageType.serverHelloDone) isDone = true;
    }
  }

  #answer(): void {
    const ephemeral = createECDH('prime256v1');
    const point = ephemeral.generateKeys();
    const { certificate, signingKey } = this.options;
    const list = sized(3, certificate.raw);
    const flight = [
      this.#handshakeRecord(messageType.certificate, sized(3, list)),
      this.#handshakeRecord(messageType.clientKeyExchange, sized(1, point)),
    ];
    const signature = sign('sha256', Buffer.concat(this.#transcript), signingKey);
    const verify = Buffer.concat([Buffer.of(4, 3), sized(2, signature)]);
    flight.push(this.#handshakeRecord(messageType.certificateVerify, verify));
    flight.push(this.#record(contentType.changeCipherSpec, 0, Buffer.of(1)));
    flight.push(this.#finished(ephemeral));
    for (const datagram of flight) this.options.send(datagram);
  }

  #finished(ephemeral: ECDH): Buffer {
    const premaster = ephemeral.computeSecret(this.#serverPoint);
    const seed = Buffer.concat([this.#random, this.#serverRandom]);
    const master = prf(premaster, 'master secret', seed, 48);
    const keys = prf(master, 'key expansion', Buffer.concat([this.#serverRandom, this.#random]), 40);
    const digest = createHash('sha256').update(Buffer.concat(this.#transcript)).digest();
    const verifyData = prf(master, 'client finished', digest, 12);
    const plain = handshakeMessage(messageType.finished, this.#messageSequence, verifyData);
    const explicit = Buffer.alloc(8);
    explicit.writeUInt16BE(1, 0);
    const nonce = Buffer.concat([keys.subarray(32, 36), explicit]);
    const cipher = createCipheriv('aes-128-gcm', keys.subarray(0, 16), nonce);
    const additional = Buffer.alloc(5);
    additional.writeUInt8(contentType.handshake, 0);
    additional.writeUInt16BE(dtls12, 1);
    additional.writeUInt16BE(plain.length, 3);
    cipher.setAAD(Buffer.concat([explicit, additional]));
    const sealed = Buffer.concat([explicit, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return this.#record(contentType.handshake, 1, sealed);
  }

  #clientHello(): Buffer {
    const extensions = [
      extension(10, Buffer.from('00020017', 'hex')),
      extension(11, Buffer.from('0100', 'hex')),
      extension(13, Buffer.from('00020403', 'hex')),
      // use_srtp with AES128_CM_SHA1_80 (RFC 5764 §4.1.1).
      extension(14, Buffer.from('0002000100', 'hex')),
    ];
    const version = Buffer.from('fefd', 'hex');
    const suites = Buffer.from('c02b', 'hex');
    return Buffer.concat([
      version,
      this.#random,
      Buffer.of(0, 0),
      sized(2, suites),
      sized(1, Buffer.of(0)),
      sized(2, Buffer.concat(extensions)),
    ]);
  }

  /** The next handshake message of ours. */
  #message(type: number, body: Buffer): Buffer {
    const message = handshakeMessage(type, this.#messageSequence, body);
    this.#messageSequence += 1;
    this.#transcript.push(message);
    return message;
  }

  #handshakeRecord(type: number, body: Buffer): Buffer {
    return this.#record(contentType.handshake, 0, this.#message(type, body));
  }

  #record(type: number, epoch: 0 | 1, fragment: Buffer): Buffer {
    const header = Buffer.alloc(13);
    header.writeUInt8(type, 0);
    header.writeUInt16BE(dtls12, 1);
    header.writeUInt16BE(epoch, 3);
    const sequence = this.#recordSequence[epoch] ?? 0;
    header.writeUIntBE(sequence, 5, 6);
    this.#recordSequence[epoch] = sequence + 1;
    header.writeUInt16BE(fragment.length, 11);
    return Buffer.concat([header, fragment]);
  }
}

function handshakeMessage(type: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 0);
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}

/** The bytes after their own length in `width` bytes. */
function sized(width: number, bytes: Buffer): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
}

function extension(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(2);
  header.writeUInt16BE(type, 0);
  return Buffer.concat([header, sized(2, body)]);
}

/** P_SHA256 (RFC 5246 §5). */
function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const hmac = (data: Buffer): Buffer => createHmac('sha256', secret).update(data).digest();
  const blocks: Buffer[] = [];
  for (let a = hmac(labelled), size = 0; size < length; a = hmac(a)) {
    const block = hmac(Buffer.concat([a, labelled]));
    blocks.push(block);
    size += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}
