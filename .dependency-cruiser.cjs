/** Imports go one way (docs/architecture.md). Each foreign library has one folder that may import it. */
const only = (library, owner) => ({
  name: `only-${owner.replaceAll('/', '-')}-imports-${library.replaceAll('/', '-')}`,
  severity: 'error',
  from: { path: '^(sip|gateway)/', pathNot: `^${owner}` },
  to: { path: `node_modules/${library}/` },
});

const never = (name, from, to, toNot) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: toNot === undefined ? { path: to } : { path: to, pathNot: toNot },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-orphan-packages',
      severity: 'error',
      from: { path: '^(sip|gateway)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    never('sip-never-knows-gateway', '^sip/', '^(gateway|web|test)/'),
    never('gateway-never-knows-web', '^gateway/', '^(web|test)/'),
    never('web-knows-contract-only', '^web/', '^(gateway|sip)/', '^gateway/contract/'),
    never('contract-is-a-leaf', '^gateway/contract/', '^(gateway|sip)/', '^gateway/contract/'),
    never('message-is-a-leaf', '^sip/message/', '^sip/', '^sip/(message/|failure|leg)'),
    never('sdp-is-a-leaf', '^sip/sdp/', '^sip/', '^sip/(sdp/|failure)'),
    never('ua-stands-alone', '^sip/ua/', '^sip/(trunk|engine|media)/'),
    never('trunk-stands-alone', '^sip/trunk/', '^sip/(ua|engine|media)/'),
    never('engine-stands-alone', '^sip/engine/', '^sip/(ua|trunk|media)/'),
    never('media-stands-alone', '^sip/media/', '^sip/(ua|trunk|engine)/'),
    never('call-sees-ports-only', '^gateway/call/', '^sip/(ua|trunk|engine|message|media/(?!media-engine))'),
    never('nobody-imports-app', '^gateway/(?!main|app)', '^gateway/(main|app)\\.'),
    never(
      'call-never-knows-edge',
      '^gateway/(call|cdr|fraud|store|hand-over|routing|registrar|endpoint|location|auth|trunk|telemetry|config)/',
      '^gateway/(edge|api)/',
    ),
    never(
      'lower-never-knows-call',
      '^gateway/(location|auth|telemetry|config)/',
      '^gateway/(call|registrar|endpoint|trunk)/',
    ),
    never('config-is-lowest', '^gateway/config/', '^gateway/', '^gateway/(config|contract)/'),
    only('sip.js', 'sip/ua'),
    only('drachtio-srf', 'sip/trunk'),
    only('sdp-transform', 'sip/sdp'),
    only('node-datachannel', 'sip/media/relay'),
    only('ws', 'gateway/edge'),
    only('fastify', 'gateway/api'),
    only('prom-client', 'gateway/telemetry'),
    only('pino', 'gateway/telemetry'),
    only('yaml', 'gateway/config'),
    only('re2js', 'gateway/config'),
    only('jose', 'gateway/(auth|config)'),
    only('libphonenumber-js', 'gateway/routing'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|\\.d\\.ts$)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
