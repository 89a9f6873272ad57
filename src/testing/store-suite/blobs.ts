// Chapter: blobs. Large values under the names of their content.

import assert from "node:assert/strict";
import type { StoreCase } from "./suite.ts";

/** Cases about blobs. */
export const blobCases: readonly StoreCase[] = [
  {
    name: "a blob is found under the SHA-256 of its bytes, and storing it again is harmless",
    run: async (make) => {
      const { store } = await make();
      const bytes = new TextEncoder().encode("abc");
      const name = await store.blobs.put(bytes);

      // The test vector of FIPS 180-2.
      assert.equal(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
      assert.equal(await store.blobs.put(bytes), name);
      assert.deepEqual(Uint8Array.from((await store.blobs.get(name)) ?? []), bytes);
      assert.match(store.blobs.locate(name), /ba.?7816/);
    },
  },
  {
    name: "a blob is what it was when it was stored, whatever happens to the buffers",
    run: async (make) => {
      const { store } = await make();
      const bytes = new Uint8Array([1, 2, 3]);
      const name = await store.blobs.put(bytes);
      bytes[0] = 9;
      const first = await store.blobs.get(name);
      first?.fill(0);

      assert.deepEqual(
        Uint8Array.from((await store.blobs.get(name)) ?? []),
        new Uint8Array([1, 2, 3]),
      );
    },
  },
  {
    name: "an empty blob is a blob, and an unknown name is none",
    run: async (make) => {
      const { store } = await make();
      const name = await store.blobs.put(new Uint8Array());

      assert.equal((await store.blobs.get(name))?.byteLength, 0);
      assert.equal(await store.blobs.get("0".repeat(64)), undefined);
    },
  },
];
