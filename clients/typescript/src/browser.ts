/**
 * A keystore in the browser's IndexedDB. Its private keys are not extractable: script of the page
 * can use them and cannot copy them; whoever copies the browser's profile may.
 *
 * Source: W3C Indexed Database API 3.0; W3C Web Cryptography API, 13
 */

import { type Memory, type Pairs, type Save, SoftwareKeystore, type VerifyUser } from "./keystore.js";

const STORE = "device";

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's store failed"));
  });
}

async function opened(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

/** The keystore called `name`; it is made with fresh keys where there is none. */
export async function openBrowserKeystore(
  name: string,
  verifyUser: VerifyUser,
): Promise<SoftwareKeystore> {
  const store = await opened(name);
  const save: Save = async (pairs, memory) => {
    const act = store.transaction(STORE, "readwrite", { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      act.oncomplete = () => resolve();
      act.onabort = () => reject(act.error ?? new Error("the browser's store failed"));
    });
    act.objectStore(STORE).put({ pairs, memory }, STORE);
    await done;
  };
  const read = store.transaction(STORE).objectStore(STORE).get(STORE);
  const kept = (await settled(read)) as { pairs: Pairs; memory: Memory } | undefined;
  return kept === undefined
    ? SoftwareKeystore.create(verifyUser, save)
    : new SoftwareKeystore(kept.pairs, kept.memory, verifyUser, save);
}
