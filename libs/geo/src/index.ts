export { areaBounds, type Area, type Circle, type PolygonArea } from './area.ts';
export type { Bounds } from './cap.ts';
export { CELL_RESOLUTION, cellOf, type CellRange } from './cell.ts';
export { coarsen } from './coarsen.ts';
export { cover, type Cover } from './cover.ts';
export { toWgs84, type Datum } from './datum.ts';
export { BAND_M, bandOf, EARTH_RADIUS_M, HAVERSINE_ERROR, haversineM } from './distance.ts';
export { isLonLat, type LonLat } from './point.ts';
export { MAX_POSITIONS, polygonFault, type PolygonFault } from './polygon-fault.ts';
