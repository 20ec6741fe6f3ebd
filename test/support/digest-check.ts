import { digestResponse, ha1, safeEqual, type DigestCredentials } from '../../sip/message/index.js';

/** Whether the response was made with that password, whatever realm, nonce and URI it names. */
export function isMadeWith(password: string, method: string, given: DigestCredentials): boolean {
  const { username, realm, nonce, uri, algorithm, qop, nc, cnonce, response } = given;
  if (algorithm === undefined) return false;
  const right = digestResponse({
    method,
    uri,
    nonce,
    algorithm,
    ha1: ha1(username, realm, password, algorithm),
    ...(qop === undefined ? {} : { qop }),
    ...(nc === undefined ? {} : { nc }),
    ...(cnonce === undefined ? {} : { cnonce }),
  });
  return safeEqual(right, response);
}
