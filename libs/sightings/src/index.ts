export { DISMISSALS, SIGHTING_STATES, type Dismissal, type SightingState } from './sighting-states.ts';
export type { Sighting, SightingPage, SightingReceipt, SightingReport, SightingSource, Triage } from './sighting.ts';
export type { SightingRefusal } from './sightings.errors.ts';
export { SightingsModule } from './sightings.module.ts';
export { Sightings, SIGHTINGS_PAGE } from './sightings.service.ts';
export { TipLimiter, TIPS_PER_CROWD, TIPS_PER_WINDOW, type TipSource } from './tip-limiter.ts';
