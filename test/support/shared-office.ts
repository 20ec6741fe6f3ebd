import { passwordOf } from './gateway.js';

/** Passwords at the PBX: of the phone 1001, and of the trunk. */
export const officeUsers = { '1001': 'phone-secret', gw: 'gw-secret' };

export interface SharedOffice {
  readonly http: number;
  readonly admin?: number;
  readonly sip: number;
  /** Of the PBX, over UDP. */
  readonly pbx: number;
  /** Of rtpengine. */
  readonly ng: number;
  /** URL of Redis. */
  readonly store: string;
}

/** Configuration of a webtrunk whose calls outlive it, with the user alice and a PBX that has the numbers 1xxx. */
export function sharedOffice({ http, admin = 0, sip, pbx, ng, store }: SharedOffice): string {
  return `listen:
  http: { address: 127.0.0.1, port: ${http} }
  admin: { address: 127.0.0.1, port: ${admin} }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }] }]
sip: { engine: embedded, embedded: { listen: ["udp:127.0.0.1:${sip}"] } }
media: { engine: rtpengine, rtpengine: [{ ng: "udp:127.0.0.1:${ng}" }] }
trunks:
  - { name: pbx, type: auth, auth: { username: gw, password: ${officeUsers.gw} }, hosts: [{ uri: "sip:127.0.0.1:${pbx};transport=udp" }] }
routes:
  - { name: staff, match: "^alice$", to: users }
  - { name: phones, match: "^1[0-9]{3}$", to: { trunks: [pbx] } }
cdr: { file: cdr.ndjson }
store: ${store}
`;
}
