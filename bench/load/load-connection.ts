import { connect, type Socket } from 'node:net';

export interface ConnectionEvents {
  /** One whole answer has arrived. */
  answered: (connection: LoadConnection, status: number, dueAt: number) => void;
  /** The connection ended; `dueAt` of the request that it was answering, if any. */
  broken: (connection: LoadConnection, reason: string, dueAt: number | undefined) => void;
}

/**
 * One keep-alive HTTP/1.1 connection with one request at a time. It knows no more of HTTP than where an answer ends, so
 * that it costs little of the processor that it shares with what it measures, and the same for every server.
 */
export class LoadConnection {
  private readonly socket: Socket;
  private rest: Buffer | undefined;
  private dueAt: number | undefined;
  private closed = false;

  constructor(
    port: number,
    private readonly events: ConnectionEvents,
    onOpen: (connection: LoadConnection) => void,
  ) {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (bytes) => {
          this.read(buffer.subarray(0, bytes));
          return true;
        },
      },
    });
    this.socket.once('connect', () => onOpen(this));
    this.socket.on('error', (error) => this.break(error.message));
    this.socket.on('close', () => this.break('the server closed the connection'));
  }

  get idle(): boolean {
    return this.dueAt === undefined && !this.closed;
  }

  send(request: Uint8Array, dueAt: number): void {
    this.dueAt = dueAt;
    this.socket.write(request);
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    const data = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    const headEnd = data.indexOf('\r\n\r\n');
    const length = headEnd === -1 ? undefined : contentLength(data, headEnd);
    if (length === undefined || data.length < headEnd + 4 + length) {
      // The chunk's memory is used again for the next one.
      this.rest = this.rest === undefined ? Buffer.from(data) : data;
      return;
    }
    this.rest = undefined;
    const { dueAt = NaN } = this;
    this.dueAt = undefined;
    this.events.answered(this, Number(data.toString('latin1', 9, 12)), dueAt);
  }

  private break(reason: string): void {
    if (this.closed) return;
    this.close();
    const { dueAt } = this;
    this.dueAt = undefined;
    this.events.broken(this, reason, dueAt);
  }
}

function contentLength(data: Buffer, headEnd: number): number | undefined {
  const found = /\r\ncontent-length: ?(\d+)/i.exec(data.toString('latin1', 0, headEnd));
  if (found === null) throw new Error('an answer without Content-Length');
  return Number(found[1]);
}
