/** Which lib may import which: the order of docs/ARCHITECTURE.md. Everyone may import platform and geo. */
const BELOW = {
  outcomes: ['dispatch', 'engagement', 'sightings', 'cases', 'audience', 'access', 'audit'],
  engagement: ['dispatch'],
  sightings: ['cases', 'access', 'audit'],
  dispatch: ['cases', 'audience', 'push', 'access', 'audit'],
  cases: ['access', 'audit'],
  audience: [],
  push: [],
  audit: [],
  access: ['audit'],
  geo: [],
  platform: [],
};
const SHARED = ['platform', 'geo'];

const order = Object.entries(BELOW).map(([lib, below]) => ({
  name: `order-${lib}`,
  comment: `libs/${lib} may know only what stands below it: ${below.concat(SHARED).join(', ')}.`,
  severity: 'error',
  from: { path: `^libs/${lib}/` },
  to: {
    path: '^libs/',
    pathNot: `^libs/(${[lib, ...below, ...(SHARED.includes(lib) ? [] : SHARED)].join('|')})/`,
  },
}));

module.exports = {
  forbidden: [
    ...order,
    {
      name: 'no-cycles',
      comment: 'A cycle is one room pretending to be two.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'libs-by-their-door',
      comment: 'What a lib exports from src/index.ts is what it promises; the rest is its own.',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'libs-know-no-app',
      comment: 'Apps are edges: nothing depends on an edge.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-know-no-other-app',
      comment: 'Each app is a process of its own; what two share belongs to a lib.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'simulator-shares-no-code',
      comment: 'The simulator stands in for Google and the phones: it must not share our bugs.',
      severity: 'error',
      from: { path: '^apps/fcm-simulator/' },
      to: { path: '^(libs|migrations)/' },
    },
    {
      name: 'only-workers-send',
      comment: 'The push gateway belongs to the worker: no request may push.',
      severity: 'error',
      from: { path: '^apps/(?!worker/)' },
      to: { path: '^libs/push/' },
    },
    {
      name: 'geo-is-pure',
      comment: 'Geometry knows neither frameworks nor databases.',
      severity: 'error',
      from: { path: '^libs/geo/' },
      to: { path: 'node_modules/(@nestjs|typeorm|pg|zod)/' },
    },
    {
      name: 'providers-in-their-adapter',
      comment: 'A push provider’s SDK is named in its adapter and nowhere else.',
      severity: 'error',
      from: { pathNot: '^(libs/push/src/fcm/|bench/|test/)' },
      to: { path: 'node_modules/firebase-admin/' },
    },
    {
      name: 'declared',
      comment: 'What is imported stands in package.json.',
      severity: 'error',
      from: { pathNot: '^test/' },
      // `geojson` is types alone (@types/geojson).
      to: { couldNotResolve: true, pathNot: '^geojson$' },
    },
    {
      name: 'no-tests-in-product',
      comment: 'Product code does not depend on tests.',
      severity: 'error',
      from: { path: '^(apps|libs|migrations)/', pathNot: '\\.spec\\.tsx?$' },
      to: { path: '(^(bench|test)/|\\.spec\\.tsx?$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['golden72-source', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
