import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const CALL_OUT = 'Calls to the outside pass through libs/platform/src/outbound.ts, which bars private addresses.';
/** What opens a connection, of Node's modules. */
const CALLERS = [
  'default',
  'request',
  'get',
  'connect',
  'createConnection',
  'createSocket',
  'Agent',
  'ClientRequest',
  'Socket',
  'TLSSocket',
];

export default tseslint.config(
  { ignores: ['node_modules', 'dist', '.local', 'bench/results', 'coverage'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Interfaces of frameworks ask for a promise where there is nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // The environment is read in one place, so that what a process depends on is known at its start.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: ['libs/platform/src/env.ts', 'apps/demo/**', 'apps/cli/**', '**/*.spec.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Declare it in libs/platform/src/env.ts.' },
        { object: 'globalThis', property: 'fetch', message: CALL_OUT },
      ],
    },
  },
  {
    // What calls out by itself can be led to our own network; what decodes by itself can be taken over.
    files: ['apps/{api,cli,public,worker}/**/*.{ts,tsx}', 'libs/**/*.ts'],
    ignores: [
      'libs/platform/src/outbound.ts',
      // The push provider's address is the operator's setting, and its answers are no addresses.
      'libs/push/src/fcm/**',
      '**/*.spec.ts',
    ],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['fetch', 'WebSocket', 'EventSource'].map((name) => ({ name, message: CALL_OUT })),
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            ...['http', 'https', 'http2', 'net', 'tls', 'dgram'].flatMap((name) =>
              [name, `node:${name}`].map((module) => ({
                name: module,
                importNames: CALLERS,
                allowTypeImports: true,
                message: CALL_OUT,
              })),
            ),
            { name: 'undici', message: CALL_OUT },
            {
              name: 'sharp',
              message: 'Uploads are decoded by libs/platform/src/image-decoder.ts, in a process of its own.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['libs/platform/src/image-decoder.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
);
