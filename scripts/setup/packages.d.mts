export function installPackages(place: { root: string; local: string; stop: AbortSignal }): Promise<void>;
