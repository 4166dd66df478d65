import 'reflect-metadata';
import { text } from 'node:stream/consumers';
import { run } from './program.ts';

process.exitCode = await run(
  {
    env: process.env,
    out: (words) => process.stdout.write(`${words}\n`),
    error: (words) => process.stderr.write(`${words}\n`),
    input: () => text(process.stdin),
  },
  process.argv.slice(2),
);
