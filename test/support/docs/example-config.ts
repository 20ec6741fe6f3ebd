/** The example at the top of docs/configuration.md; a test loads it. */
export const exampleConfig = `listen:
  https: { port: 8443, cert: /etc/webtrunk/tls.crt, key: /etc/webtrunk/tls.key }
  admin: { address: 127.0.0.1, port: 8081, token: \${WEBTRUNK_ADMIN_TOKEN} }
domains:
  - name: example.com
    users:
      - { name: alice, password: \${ALICE_PASSWORD}, display_name: Alice, caller_id: "+15551230001" }
      - { name: bob, password: \${BOB_PASSWORD}, display_name: Bob }
sip:
  embedded: { listen: ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"], external_address: 203.0.113.5 }
media:
  relay: { address: 203.0.113.5, ports: 20000-29999 }
trunks:
  - name: office
    type: auth
    hosts:
      - { uri: "sip:pbx1.example.net:5060;transport=udp", priority: 10 }
      - { uri: "sip:pbx2.example.net:5060;transport=udp", priority: 20 }
    auth: { username: gw, password: \${PBX_PASSWORD} }
    inbound: { allow: [198.51.100.0/24] }
    media: { codecs: [opus, PCMU, PCMA] }
routes:
  - { name: staff, match: "^(alice|bob)$", to: users }
  - { name: did, from_trunk: office, match: "^\\\\+15551230001$", to: { user: alice } }
  - { name: pstn, match: "^\\\\+?[0-9]{3,15}$", to: { trunks: [office] } }
cdr: { file: /var/log/webtrunk/cdr.ndjson }
log: { level: info, format: json }
`;
