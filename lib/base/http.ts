/**
 * One HTTP request and its answer as plain objects. The host makes the first out of a socket and writes the second to it;
 * the server turns one into the other and never sees a socket. Types only.
 */

/** The other end of a connection. */
export interface Peer {
  /** Without a port. Whoever reaches the socket file of this machine has a loopback address. */
  readonly address: string;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
}

/** A request as it came in. Nothing in it has been checked, decoded or merged. */
export interface HttpRequest extends Peer {
  readonly method: string;
  /** The request target exactly as sent. */
  readonly target: string;
  /** Name and value of every header line in the order sent; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Port that the connection came in on; 0 for the socket file. */
  readonly port: number;
  /** It came over the socket file of this machine, which no browser reaches. */
  readonly overSocket?: true;
  /** Whether a body follows, empty or not. */
  readonly hasBody: boolean;
  /** The whole body. Rejects with `request.large` as soon as it is longer than `limit` bytes. */
  readBody(limit: number): Promise<Uint8Array>;
  /** The connection is kept though nothing moves on it for so long, until this request is answered. */
  patience?(milliseconds: number): void;
  /** Aborts when the client has gone or was cut off. */
  readonly signal: AbortSignal;
}

/** An answer: either a whole body, or a stream whose parts are written as they come. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`, a header line each. */
  readonly cookies?: readonly string[];
  readonly body?: string | Uint8Array;
  /** Pulled only as fast as the client reads. Must end soon after the request's signal aborts. */
  readonly stream?: AsyncIterable<string | Uint8Array>;
}

/** What answers requests. */
export interface HttpHandler {
  /** Never rejects. */
  answer(request: HttpRequest): Promise<HttpResponse>;
  /** The answer to bytes that are no request: 400, 408 (too slow) or 431 (headers too large). */
  malformed(status: number, peer: Peer): HttpResponse;
}
