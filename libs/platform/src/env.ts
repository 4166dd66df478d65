import { z } from 'zod';
import { DEVELOPMENT_KEY, secretFaults } from './env-secrets.ts';

const flag = z.stringbool({ truthy: ['1', 'true', 'yes'], falsy: ['0', 'false', 'no', ''] });
const port = z.coerce.number().int().min(0).max(65_535);

/** At least 32 bytes in base64. */
const secretKey = z.base64().refine((key) => Buffer.from(key, 'base64').length >= 32, 'must hold at least 32 bytes');

/** A JSON object of strings, e.g. `{"https://id.police.example":"…"}`. */
const jsonRecord = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('must be a JSON object');
      return z.NEVER;
    }
  })
  .pipe(z.record(z.url(), z.string().min(1)));

const schema = z
  .object({
    NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
    LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    /** Connections this process may hold; PostgreSQL's own max_connections bounds the sum over processes. */
    DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(10),
    REDIS_URL: z.url({ protocol: /^rediss?$/ }),
    HOST: z.string().default('127.0.0.1'),
    /** The api's port. 0 lets the system choose. */
    PORT: port.default(3000),
    /** The public page's port. */
    PUBLIC_PORT: port.default(3001),
    /** The worker's port for /healthz, /readyz and /metrics. */
    WORKER_PORT: port.default(3002),
    /** Where people open alert pages and forward links: no trailing slash. */
    PUBLIC_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3001'),
    /** Where officers reach the api and their console: no trailing slash. Identity providers send them back there. */
    API_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3000'),
    /**
     * A listener of its own for /metrics and /readyz beside /healthz, and then on no other. Without it the main listener answers
     * them, but not in production: behind a proxy it cannot tell who asks.
     */
    OBSERVABILITY_PORT: port.optional(),
    OBSERVABILITY_HOST: z.string().default('127.0.0.1'),
    /**
     * How long the api and the public page go on answering after SIGTERM, while they say that they are not ready: longer than a balancer
     * takes to notice. By default 5 in production, else 0.
     */
    DRAIN_SECONDS: z.coerce.number().min(0).max(300).optional(),
    /** Where traces go, by OTLP over HTTP with JSON: an address without a path. Without it there are none. */
    OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
    /** `name=value`, comma-separated. Read by the exporter itself; declared here so that it is known. */
    OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
    /** Share of the traces that are kept; each is kept or left whole. */
    OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
    /** Multiplies the rate limits of callers and networks, e.g. for a load test or a country behind few addresses. */
    RATE_LIMIT_FACTOR: z.coerce.number().min(0.01).max(1_000).default(1),
    /** Client secrets of identity providers, a JSON object issuer → secret. An issuer without one has a public client. */
    OIDC_CLIENT_SECRETS: jsonRecord.default({}),
    /** Trust X-Forwarded-For from loopback and private proxies only when there is such a proxy. */
    TRUST_PROXY: flag.default(false),
    /** 32 random bytes in base64; every MAC key is derived from it. */
    SECRET_KEY: secretKey.default(DEVELOPMENT_KEY),
    /** The key of before, while keys are changed: what was made with it still counts, and nothing more is made with it. */
    SECRET_KEY_PREVIOUS: secretKey.optional(),
    /** What this deployment's alerts are: only 'real' ones may reach real phones. */
    DEPLOYMENT: z.enum(['demo', 'real']).default('demo'),
    /** Whether every officer must have a second factor; by default where alerts are real. */
    SECOND_FACTOR: z.enum(['required', 'optional']).optional(),
    FCM_ENDPOINT: z.url({ protocol: /^https$/ }).default('https://fcm.googleapis.com'),
    /** PEM file of a certificate authority to trust for FCM_ENDPOINT besides the system's. */
    FCM_CA: z.string().optional(),
    FCM_PROJECT_ID: z.string().default('golden72-sim'),
    /** Read by firebase-admin itself; declared here so that it is known. */
    GOOGLE_APPLICATION_CREDENTIALS: z.string().optional(),
    /** Messages a minute; FCM's default for a project is 600 000. */
    PUSH_QUOTA_PER_MINUTE: z.coerce.number().int().min(60).default(600_000),
    /** FCM asks senders to take at least 60 s from nothing to full rate. */
    PUSH_RAMP_SECONDS: z.coerce.number().min(0).default(60),
    /** Batches one worker sends at the same time. */
    WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
    /** `host:port`, comma-separated: what may be called besides public addresses on port 443, e.g. an agency's own identity provider. */
    OUTBOUND_ALLOW: z
      .string()
      .default('')
      .transform((list) => list.split(',').filter(Boolean))
      .pipe(z.array(z.string().regex(/^[^\s/@]+:\d{1,5}$/, 'must be host:port, comma-separated'))),
    /** PEM file of a certificate authority to trust for outbound calls besides the system's. */
    OUTBOUND_CA: z.string().optional(),
    /** Where a content delivery network takes a purge of surrogate keys; without it there is none before the public pages. */
    CDN_PURGE_URL: z.url({ protocol: /^https$/ }).optional(),
    /** Bearer token for CDN_PURGE_URL. */
    CDN_PURGE_TOKEN: z.string().min(1).optional(),
  })
  .superRefine((env, context) => {
    const serious = env.NODE_ENV === 'production' || env.DEPLOYMENT === 'real';
    for (const { name, message } of serious ? secretFaults(env) : []) {
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });

/** Every setting of the system, parsed; the names are those of the environment variables. */
export type Env = z.infer<typeof schema>;

/** Injection token of {@link Env}. */
export const ENV = Symbol('ENV');

/**
 * Reads the settings, once at a process's start.
 * @throws Error naming every variable that is missing or malformed, never its value.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const parsed = schema.safeParse(source);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment is not usable:\n${faults.join('\n')}`);
}

/** Milliseconds from the signal to end until the listener closes. */
export function drainMs({ DRAIN_SECONDS, NODE_ENV }: Pick<Env, 'DRAIN_SECONDS' | 'NODE_ENV'>): number {
  return (DRAIN_SECONDS ?? (NODE_ENV === 'production' ? 5 : 0)) * 1000;
}

/** Google's libraries take the project from the environment alone; without it each sign-in runs `gcloud` to ask. */
export function tellGoogle(env: Pick<Env, 'FCM_PROJECT_ID'>): void {
  process.env['GOOGLE_CLOUD_PROJECT'] ??= env.FCM_PROJECT_ID;
}
