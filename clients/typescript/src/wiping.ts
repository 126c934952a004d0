/**
 * What an app does when its provider says that this device is over: it asks for the order, obeys it
 * only if a key of the verified list signed it for this very device, and says so before the keys go.
 *
 * Source: docs/protocol/factors.md, The end of a device, and its wipe
 */

import {
  canonical,
  canonicalOctets,
  exactly,
  id,
  matching,
  natural,
  object,
  readCanonical,
  readJson,
  string,
} from "./canonical.js";
import { verify, type VerifyKey } from "./crypto.js";
import { NotAuthentic } from "./errors.js";
import { signedByDevice, splitJws } from "./jws.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import { JSON_TYPE, refusal, type Transport } from "./transport.js";

const replyShape = object({ order: string });
const orderShape = object({
  v: exactly(1),
  provider: string,
  device: id("dev"),
  order: matching(/^[A-Za-z0-9_-]{22}$/),
  at: natural,
});

export type WipeOrder = ReturnType<typeof orderShape>;

export interface WiperParts {
  readonly transport: Transport;
  readonly keystore: DeviceKeystore;
  /** The session signature keys of the verified list, by kid. */
  readonly signatureKeys: () => Promise<ReadonlyMap<string, VerifyKey>>;
  readonly provider: string;
  readonly now: () => number;
}

export class Wiper {
  readonly #parts: WiperParts;

  constructor(parts: WiperParts) {
    this.#parts = parts;
  }

  /** The order, as the provider signed it for this device; Conflict where the device is not over. */
  async ask(): Promise<WipeOrder> {
    return this.read(await this.#say("ask", ""));
  }

  /** Asks, says that it is done, and erases everything, also where that word does not arrive. */
  async obey(erase: () => Promise<void>): Promise<WipeOrder> {
    const order = await this.ask();
    try {
      await this.#say("done", order.order);
    } finally {
      await erase();
    }
    return order;
  }

  async #say(does: string, order: string): Promise<string> {
    const { keystore, transport, now } = this.#parts;
    const { device } = identityOf(keystore);
    const payload = { v: 1, device, does, order, at: now() };
    const word = await signedByDevice("tallystick-wipe-word", device, payload, (message) =>
      keystore.possessionSign(message),
    );
    const reply = await transport.post(
      "/v1/devices/wipe",
      canonicalOctets({ device, word }),
      JSON_TYPE,
    );
    if (reply.status !== 200) throw refusal(reply);
    return replyShape(readJson(reply.body)).order;
  }

  /** The order in `compact`; NotAuthentic unless it is the provider's for this device. */
  async read(compact: string): Promise<WipeOrder> {
    const parts = splitJws(compact);
    for (const [kid, known] of await this.#parts.signatureKeys()) {
      const header = { alg: known.algorithm, kid, typ: "tallystick-wipe-order" };
      if (parts.header !== canonical(header)) continue;
      await verify(known, parts.signature, parts.signed);
      const order = orderShape(readCanonical(parts.payload));
      const { device } = identityOf(this.#parts.keystore);
      if (order.device === device && order.provider === this.#parts.provider) return order;
    }
    throw new NotAuthentic("this order is not the provider's for this device");
  }
}
