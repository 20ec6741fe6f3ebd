/** A complete and right configuration; tests replace lines of it. */
export const rightConfig = `listen:
  http: { address: 127.0.0.1, port: 8080 }
  admin: { address: 127.0.0.1, port: 8081, token: \${ADMIN_TOKEN} }
websocket: { max_message: 64KiB, origins: ["https://phone.example.com"], keepalive: 25s, resume_grace: 30s }
domains:
  - name: Example.com
    users:
      - { name: alice, password: \${ALICE_PASSWORD}, display_name: Alice, caller_id: "+15551230001" }
      - { name: bob, password: "bobs password" }
sip:
  engine: embedded
  embedded: { listen: ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"], external_address: 203.0.113.5 }
media:
  engine: relay
  relay: { address: 127.0.0.1, ports: 20000-20099 }
ice: { servers: [{ urls: ["turn:turn.example.com:3478"], username: u, credential: \${TURN_PASSWORD} }] }
trunks:
  - name: office
    type: auth
    hosts:
      - { uri: "sip:pbx.example.net:5060;transport=tcp", priority: 5 }
      - { uri: "sip:198.51.100.7" }
    auth: { username: gw, password: \${PBX_PASSWORD} }
    from: { user: "+15551230000" }
    inbound: { allow: [198.51.100.0/24], numbers: ["+15551230000"] }
    media: { codecs: [PCMA, opus], ptime: 20 }
routes:
  - { name: staff, match: "^(alice|bob)$", to: users }
  - { name: did, from_trunk: office, match: "^\\\\+15551230000$", to: { user: alice } }
  - { name: pstn, match: "^\\\\+?[0-9]{3,15}$", to: { trunks: [office] } }
limits: { calls_per_endpoint: 2 }
cdr: { file: cdr.ndjson }
log: { level: warn, format: pretty }
`;

export const rightEnvironment = {
  ADMIN_TOKEN: 'admin-token-value',
  ALICE_PASSWORD: 'alice-password-value',
  TURN_PASSWORD: 'turn-password-value',
  PBX_PASSWORD: 'pbx-password-value',
};

/** The right configuration with `line` (from 1) replaced by `text`, which may be several lines or, undefined, none. */
export function withLine(line: number, text: string | undefined): string {
  const lines = rightConfig.split('\n');
  lines.splice(line - 1, 1, ...(text === undefined ? [] : [text]));
  return lines.join('\n');
}
