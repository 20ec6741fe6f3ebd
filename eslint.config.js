import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const clockBan = [
  { name: 'setTimeout', message: 'Timers come from sip/clock.ts.' },
  { name: 'setInterval', message: 'Timers come from sip/clock.ts.' },
];
const clockProperties = [
  { object: 'Date', property: 'now', message: 'Time comes from sip/clock.ts.' },
  {
    object: 'Math',
    property: 'random',
    message: 'Randomness comes from node:crypto through sip/message/ids.ts.',
  },
  { object: 'process', property: 'env', message: 'The environment is read in gateway/config only.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '**/fixtures/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['web/vite.config.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 16],
      'max-depth': ['error', 4],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['sip/**/*.ts', 'gateway/**/*.ts'],
    ignores: ['sip/clock.ts'],
    rules: {
      'no-restricted-globals': ['error', ...clockBan],
      'no-restricted-properties': ['error', ...clockProperties],
    },
  },
  {
    files: ['gateway/config/**/*.ts', 'gateway/main.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', module: 'readonly' },
    },
  },
);
