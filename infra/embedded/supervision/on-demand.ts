import { messageOf } from '../../../domain/errors.js';
import type { ComponentReport, ComponentSpec, OnProgress } from '../processes/component.js';
import type { SupervisedComponent } from './supervise.js';

/** What could not be started is tried again after so long, while it is wanted. */
const againAfterMs = 10_000;

export interface OnDemandOptions {
  specs: readonly ComponentSpec[];
  /** Whether somebody has asked for it and nobody has sent it away. */
  isWanted(name: string): boolean;
  supervise(spec: ComponentSpec): SupervisedComponent;
  /** All that runs, which the caller reports and ends: what starts is added, what was sent away taken out. */
  started: SupervisedComponent[];
  /** Ends a start that is under way. */
  signal: AbortSignal;
  onProgress: OnProgress;
}

interface Place {
  spec: ComponentSpec;
  /** Undefined while it is not wanted. */
  running: SupervisedComponent | undefined;
  /** What is being done to it. */
  busy: Promise<void> | undefined;
  failedAt: number;
  lastError: string | undefined;
}

/** Components that start when something first asks for them, and run until they are sent away. */
export class OnDemand {
  private readonly places: Place[];
  private readonly ending = new AbortController();
  private readonly signal: AbortSignal;

  constructor(private readonly options: OnDemandOptions) {
    this.signal = AbortSignal.any([options.signal, this.ending.signal]);
    this.places = options.specs.map((spec) => ({
      ...{ spec, running: undefined, busy: undefined, failedAt: -Infinity, lastError: undefined },
    }));
  }

  /** Starts what is wanted and stops what is not any more; asked again and again. Never throws. */
  keep(): void {
    for (const place of this.places) {
      if (place.busy || this.signal.aborted) continue;
      const wanted = this.options.isWanted(place.spec.name);
      if (wanted === (place.running !== undefined)) continue;
      if (wanted && performance.now() - place.failedAt < againAfterMs) continue;
      place.busy = (wanted ? this.start(place) : this.stop(place)).finally(() => (place.busy = undefined));
    }
  }

  /** Resolves once what is wanted now has been started, or has failed to. */
  async settled(): Promise<void> {
    this.keep();
    await Promise.all(this.places.flatMap(({ busy }) => busy ?? []));
  }

  /** Nothing is started from here on. */
  async end(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.places.flatMap(({ busy }) => busy ?? []));
  }

  /** Of those that do not run. */
  reports(): ComponentReport[] {
    return this.places
      .filter(({ running }) => running === undefined)
      .map(({ spec: { name, address, version }, lastError }) => ({
        ...{ name, state: 'on-demand', address, version, lastError },
        ...{ pid: undefined, logFile: undefined, startedAt: undefined, restarts: 0 },
      }));
  }

  private async start(place: Place): Promise<void> {
    const { supervise, onProgress, started } = this.options;
    const component = supervise(place.spec);
    place.running = component;
    started.push(component);
    try {
      await component.start(this.signal);
      place.lastError = undefined;
    } catch (error) {
      if (this.signal.aborted) return; // Whoever ends all ends it too.
      place.failedAt = performance.now();
      place.lastError = messageOf(error);
      await this.stop(place);
      const detail = `did not start, and is tried again in ${againAfterMs / 1000} s: ${messageOf(error)}`;
      onProgress({ component: place.spec.name, phase: 'note', detail });
    }
  }

  private async stop(place: Place): Promise<void> {
    const { running } = place;
    if (running === undefined) return;
    await running.stop();
    this.options.started.splice(this.options.started.indexOf(running), 1);
    place.running = undefined;
  }
}
