/** The command line: a flag for each setting in common use, and `--settings` for the rest. */
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_SETTINGS, type DelayRange, type Settings, type SettingsPatch } from './settings.ts';
import type { SimulatorOptions } from './simulator.ts';

interface Flags {
  readonly dir: string;
  readonly port: number;
  readonly controlPort: number;
  readonly apiUrl?: string;
  readonly project: string;
  readonly seed: number;
  readonly quotaPerMinute?: number;
  readonly latency?: DelayRange;
  readonly tokenLifetime?: number;
  readonly goawayEvery?: number;
  readonly fault: Partial<Settings['faults']>;
  readonly unregisteredRate?: number;
  readonly invalidRate?: number;
  readonly receiveRate?: number;
  readonly openRate?: number;
  readonly forwardRate?: number;
  readonly sightings?: number;
  readonly settings: SettingsPatch;
  readonly keepArrivals?: boolean;
}

/** Reads arguments (without node and the script); prints help or what is wrong and exits on its own. */
export function readArguments(args: readonly string[]): SimulatorOptions {
  const flags = command().parse(args, { from: 'user' }).opts<Flags>();
  const { dir, port, controlPort, apiUrl, project, seed, keepArrivals = false } = flags;
  return { dir, port, controlPort, apiUrl, project, seed, keepArrivals, settings: settingsOf(flags) };
}

function command(): Command {
  return new Command('fcm-simulator')
    .description('Speaks FCM HTTP v1 over HTTP/2 and plays the phones.')
    .requiredOption('--dir <path>', 'directory for certificate and credentials')
    .option('--port <number>', 'port of the FCM listener; 0 for a free one', number, 0)
    .option('--control-port <number>', 'port of the control listener', number, 0)
    .option('--api-url <url>', 'api the phones talk to; without it they only count')
    .option('--project <id>', 'Firebase project', 'golden72-sim')
    .option('--seed <number>', 'the same seed gives the same phones', number, 72)
    .option('--quota-per-minute <messages>', `0 for no limit (default: ${DEFAULT_SETTINGS.quotaPerMinute})`, number)
    .option('--latency <min,max>', 'milliseconds from request to answer', range)
    .option('--token-lifetime <seconds>', 'life of a bearer', number)
    .option('--goaway-every <requests>', 'GOAWAY after so many requests of a session', number)
    .option('--fault <name=share>', `one of ${Object.keys(DEFAULT_SETTINGS.faults).join(', ')}; repeatable`, fault, {})
    .option('--unregistered-rate <share>', 'share of tokens that are dead', number)
    .option('--invalid-rate <share>', 'share of tokens that never were valid', number)
    .option('--receive-rate <share>', 'share of phones online', number)
    .option('--open-rate <share>', 'share of received alerts opened', number)
    .option('--forward-rate <share>', 'share of opened alerts forwarded', number)
    .option('--sightings <count>', 'sightings posted for each alert', number)
    .option('--keep-arrivals', 'keep every arrival for GET /control/arrivals')
    .option('--settings <json>', 'any settings, as PATCH /control/settings takes them', json, {});
}

function settingsOf(flags: Flags): SettingsPatch {
  const { settings } = flags;
  const phones = { receiveRate: flags.receiveRate, openRate: flags.openRate, forwardRate: flags.forwardRate };
  return {
    ...given({
      quotaPerMinute: flags.quotaPerMinute,
      latencyMs: flags.latency,
      tokenLifetimeSeconds: flags.tokenLifetime,
      goawayEvery: flags.goawayEvery,
      unregisteredRate: flags.unregisteredRate,
      invalidRate: flags.invalidRate,
    }),
    ...settings,
    faults: { ...flags.fault, ...settings.faults },
    phones: { ...given({ ...phones, sightings: flags.sightings }), ...settings.phones },
  };
}

/** Without what is undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number');
  return value;
}

function range(text: string): DelayRange {
  const [min = '', max = min] = text.split(',');
  return { min: number(min), max: number(max) };
}

function fault(text: string, before: Partial<Settings['faults']>): Partial<Settings['faults']> {
  const [name = '', share = ''] = text.split('=');
  return { ...before, [name]: number(share) };
}

function json(text: string): SettingsPatch {
  try {
    return JSON.parse(text) as SettingsPatch;
  } catch {
    throw new InvalidArgumentError('must be JSON');
  }
}
