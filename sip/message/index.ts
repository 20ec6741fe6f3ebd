/** The SIP codec: bytes to messages and back. The only barrel of the project. */
export * from './message.js';
export { Headers } from './headers.js';
export { parseParams, serializeParams } from './params.js';
export { canonicalAor, parseUri, sameUri, serializeUri } from './uri.js';
export {
  parseNameAddr,
  parseNameAddrList,
  serializeNameAddr,
  splitCommaList,
  tagOf,
  withTag,
} from './name-addr.js';
export { branchOf, parseVia, serializeVia } from './via.js';
export { parseCSeq } from './cseq.js';
export { defaultParseLimits, type ParseLimits } from './limits.js';
export { parseMessage, type ParseOptions } from './parse.js';
export { createRequest, createResponse, type RequestParts, type ResponseParts } from './build.js';
export { serializeMessage, serializeText } from './serialize.js';
export { respond, respondFailure, type RespondOptions } from './respond.js';
export { StreamFramer, type StreamEvent } from './framing.js';
export * from './sanity.js';
export {
  digestResponse,
  ha1,
  parseAuthorization,
  parseChallenge,
  safeEqual,
  serializeAuthorization,
  serializeChallenge,
  type DigestAlgorithm,
  type DigestChallenge,
  type DigestCredentials,
  type DigestInput,
} from './digest.js';
export { parseBearer, serializeBearerChallenge, type BearerChallenge } from './bearer.js';
export { reasonPhrase } from './status.js';
export { newBranch, newCallId, newId, newTag } from './ids.js';
export { bodyText, mediaType } from './body.js';
export { isIpv6Address } from './host.js';
