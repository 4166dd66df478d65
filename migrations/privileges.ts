/** The processes that connect as somebody else than the owner of the tables. */
export const PROCESSES = ['api', 'worker', 'public'] as const;

export type Process = (typeof PROCESSES)[number];

type Verb = 'select' | 'insert' | 'update' | 'delete';

/** The whole table, or these columns of it. */
export type Extent = true | readonly string[];

export type Grants = Readonly<Partial<Record<Verb, Extent>>>;

/** The group role whose members a process connects as. */
export const roleOf = (process: Process) => `golden72_${process}`;

const READ = { select: true } as const;
const ADD = { select: true, insert: true } as const;
const CHANGE = { select: true, update: true } as const;
const WORK = { select: true, insert: true, update: true } as const;
const ALL = { ...WORK, delete: true } as const;
const CLEAR = { select: true, delete: true } as const;

/** To lock rows takes the right to change some column: that of an identity, which can only ever be given what it has. */
const LOCK = ['id'] as const;

/**
 * What each process may do with each table; what is not here nobody but the owner may. Rows that go with others (ON DELETE) and
 * foreign keys are the owner's work. The public page may not read cases, tips, devices or officers, whatever happens to it.
 */
export const PRIVILEGES: Readonly<Record<string, Readonly<Partial<Record<Process, Grants>>>>> = {
  // What TypeORM has applied.
  'public.migrations': {},

  'public.outbox': {
    api: { ...ADD, delete: true, update: LOCK },
    worker: { ...ADD, delete: true, update: LOCK },
  },
  // Each worker looks whether the database is still the one it was.
  'public.deployment_identity': { worker: CHANGE },
  'public.idempotency_keys': { api: ADD, worker: CLEAR, public: ADD },
  'public.retention_runs': { api: READ, worker: WORK },

  // Agencies, their keys and their providers are made by the command line, which connects as the owner.
  'public.agencies': { api: { ...READ, update: ['frozen_at'] }, worker: READ },
  'public.agency_keys': { api: READ },
  'public.identity_providers': { api: READ },
  'public.officer_identities': { api: READ },
  'public.officers': {
    api: { ...ADD, update: ['password_hash', 'roles', 'disabled_at', 'frozen_at'] },
  },
  'public.sessions': { api: WORK, worker: CLEAR },
  'public.second_factors': { api: ALL },
  'public.recovery_codes': { api: { ...ADD, delete: true } },
  'public.invitations': { api: ALL, worker: CLEAR },
  'public.role_grants': { api: WORK },
  'public.reviews': { api: WORK, worker: ADD },

  // Nobody changes or deletes an entry, and nobody starts a chain anew.
  'public.audit_chains': { api: WORK, worker: WORK },
  'public.audit_entries': { api: ADD, worker: ADD },

  // Keys are made by the api and destroyed by the worker alone, and overwritten by nobody. The public page seals tips.
  'vault.case_keys': { api: ADD, worker: CLEAR, public: READ },
  'public.cases': { api: WORK, worker: CHANGE },
  'public.case_photos': { api: ADD, worker: CLEAR },

  'public.devices': { api: ALL, worker: { ...CHANGE, delete: true } },
  'public.positions': { api: WORK, worker: CHANGE },

  // Who has come to another place is noted by the api, read and emptied by the worker.
  'public.arrivals': { api: { insert: true }, worker: CLEAR },
  'public.arrivals_wanted': { api: READ, worker: WORK },
  'public.top_up_leases': { worker: WORK },

  'public.alerts': {
    api: ALL,
    worker: CHANGE,
    public: {
      select: [
        ...['id', 'slug', 'state', 'mode', 'tier', 'area', 'place', 'call_number', 'instruction'],
        ...['released_at', 'expires_at', 'ended_at', 'erased_at'],
      ],
    },
  },
  'public.alert_cases': { api: ADD, worker: READ, public: READ },
  // A ladder that asks ‘still missing?’ proposes its rings.
  'public.alert_changes': { api: WORK, worker: WORK },
  'public.alert_closings': { api: READ, worker: READ },
  'public.alert_lands': { api: WORK, worker: WORK },
  'public.alert_photos': { api: ALL, worker: ALL, public: READ },
  'public.gap_watches': { worker: WORK },
  'public.ladder_steps': { api: READ, worker: WORK },
  'public.messages': {
    api: WORK,
    worker: WORK,
    public: { select: ['alert_id', 'version', 'kind', 'texts', 'created_at'] },
  },
  'public.waves': { api: WORK, worker: WORK },
  'public.batches': { api: WORK, worker: WORK, public: { select: ['id', 'alert_id', 'size'] } },
  'public.batch_recipients': { api: ADD, worker: { ...ADD, delete: true } },

  'public.receipts': { api: ADD, worker: CLEAR },
  'public.receipt_counts': { api: READ, worker: ADD },
  'public.reduced_engagements': { api: READ, worker: ADD },
  'public.forwards': {
    api: { ...ADD, update: ['depth'] },
    worker: { ...READ, update: ['batch_id', 'index', 'views'] },
    public: { ...ADD, update: LOCK },
  },
  'public.views': { api: READ, worker: CLEAR, public: { insert: true } },

  'public.sightings': { api: WORK, worker: CHANGE, public: { insert: true, select: ['id', 'received_at'] } },
};
