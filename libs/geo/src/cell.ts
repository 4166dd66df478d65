import { cellToBoundary, cellToLatLng, latLngToCell } from 'h3-js';
import type { Cap } from './cap.ts';
import { haversineM } from './distance.ts';
import type { LonLat } from './point.ts';

/** H3 resolution of stored cells: 2.6 (a pentagon) to 6.2 km² each (h3geo.org, Tables of Cell Statistics). */
export const CELL_RESOLUTION = 7;

/** Ids of cells, both ends included. */
export interface CellRange {
  readonly lo: bigint;
  readonly hi: bigint;
}

/**
 * How far from a cell's centre a point indexed under it may lie, in units of its furthest vertex. H3's children stick
 * out of their parent (h3geo.org, Indexing): in the plane a child's centre is at √3/√7 of the radius and each level
 * shrinks by √7, so the overhang is at most 0.6547 ÷ (1 − 0.3780) = 1.053. The projection bends this most along the
 * icosahedron's edges, where 1.064 was found among 32 000 cells. A cell of the stored resolution holds just its own
 * polygon.
 */
const PARENT_REACH = 1.15;
const LEAF_REACH = 1.01;

/** Each child's cap lies within its parent's, made this many times wider: 1.06 was found. */
export const NEST = 1.5;

/** The id of the cell that holds a point, as PostgreSQL's `bigint`: H3 leaves the sign bit clear. */
export function cellOf(p: LonLat): bigint {
  return idOf(latLngToCell(p[1], p[0], CELL_RESOLUTION));
}

/**
 * The furthest that a vertex is from its cell's centre on the mean sphere, metres, by resolution: of all cells down to resolution 4,
 * below that of the descendants of the 30 largest; and 1 % more.
 */
const FURTHEST_M = [1_396_700, 535_200, 202_700, 76_700, 29_000, 10_950, 4_140, 1_565];

/** A cap around every point whose cell is `cell` or descends from it. */
export function capOf(cell: string, resolution: number): Cap {
  const center = centerOf(cell);
  let furthestM = 0;
  for (const [vertexLat, vertexLon] of cellToBoundary(cell)) {
    furthestM = Math.max(furthestM, haversineM(center, [vertexLon, vertexLat]));
  }
  return { center, radiusM: furthestM * reachAt(resolution) };
}

/** The same without looking at the cell's boundary, which costs three times as much: up to twice as wide. */
export function wideCapOf(cell: string, resolution: number): Cap {
  return { center: centerOf(cell), radiusM: (FURTHEST_M[resolution] ?? Infinity) * reachAt(resolution) };
}

function centerOf(cell: string): LonLat {
  const [lat, lon] = cellToLatLng(cell);
  return [lon, lat];
}

function reachAt(resolution: number): number {
  return resolution < CELL_RESOLUTION ? PARENT_REACH : LEAF_REACH;
}

/*
 * An H3 id holds its resolution in bits 52–55 and, from bit 44 down, three bits for each resolution's digit 0–6 (7
 * where unused): h3geo.org, H3Index Bit Layout. So the stored cells under a cell are one block of ids, from digits 0 to
 * digits 6.
 */
const RESOLUTION_SHIFT = 52n;
const DIGIT_BITS = 3n;
const UNUSED_BITS = BigInt(15 - CELL_RESOLUTION) * DIGIT_BITS;

/** Bits at the end of every stored cell's id that are the same in all: an id shifted right by them is a safe integer, in the same order. */
export const SAME_BITS = Number(UNUSED_BITS);

/** The ids of all stored cells at or under `cell`, whose resolution is `resolution`. */
export function blockOf(cell: string, resolution: number): CellRange {
  const levels = BigInt(CELL_RESOLUTION - resolution);
  const ones = ((1n << (levels * DIGIT_BITS)) / 7n) << UNUSED_BITS;
  const hi = idOf(cell) + (levels << RESOLUTION_SHIFT) - ones;
  return { lo: hi - 6n * ones, hi };
}

function idOf(cell: string): bigint {
  return BigInt(`0x${cell}`);
}
