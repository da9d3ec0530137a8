import type { Environment } from '../../domain/names.js';
import type { ControlPlane } from './control-plane.js';
import type { GatewayEvents } from '../telemetry/gateway-events.js';
import type { ServingWindowCounter } from '../telemetry/serving-window-counter.js';

export interface GatewayHeartbeatOptions {
  gateway: { gatewayId: string; environment: Environment; url: string; bootId: string };
  controlPlane: ControlPlane;
  windows: ServingWindowCounter;
  events: GatewayEvents;
  heartbeatEveryMs: number;
  windowEveryMs: number;
}

/** A control plane that is away must not hold up the end of a gateway. */
const farewellMs = 2_000;

/** What a gateway tells the control plane by itself: that it lives, and what it counted. */
export class GatewayHeartbeat {
  /** Whether the last heartbeat was taken. */
  connected = false;
  private readonly loops: { stop: () => Promise<void> }[] = [];

  constructor(private readonly options: GatewayHeartbeatOptions) {}

  start(): void {
    const { heartbeatEveryMs, windowEveryMs } = this.options;
    this.loops.push(
      repeat(heartbeatEveryMs, () => this.beat()),
      repeat(windowEveryMs, () => this.sendWindows()),
    );
  }

  /** Hands over the last counts and gives the lease back, so that nobody waits for this gateway. */
  async stop(): Promise<void> {
    const { controlPlane, gateway } = this.options;
    const farewell = async () => {
      await Promise.all(this.loops.map((loop) => loop.stop()));
      await this.sendWindows();
      await controlPlane.forgetGateway(gateway).catch(() => undefined);
    };
    await Promise.race([farewell(), new Promise((resolve) => setTimeout(resolve, farewellMs))]);
  }

  private async beat(): Promise<void> {
    const { controlPlane, gateway } = this.options;
    this.connected = await controlPlane.recordGateway(gateway).then(
      () => true,
      () => false,
    );
  }

  private async sendWindows(): Promise<void> {
    const { controlPlane, windows, events } = this.options;
    // What was not taken now is offered again next time.
    await windows.flush((batch) => controlPlane.insertServingWindows(batch)).catch(() => undefined);
    await events.flush((batch) => controlPlane.insertGatewayEvents(batch)).catch(() => undefined);
  }
}

/** Does the work now and then at each interval, never twice at once. */
function repeat(everyMs: number, work: () => Promise<void>): { stop: () => Promise<void> } {
  let running: Promise<void> | undefined;
  const turn = () => {
    running ??= work().finally(() => {
      running = undefined;
    });
  };
  turn();
  const timer = setInterval(turn, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
