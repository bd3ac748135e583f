// Runs `lib.rs` in Node: node run.mjs wasm.wasm
import assert from 'node:assert';
import { readFileSync } from 'node:fs';

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
// The version, 11 scalars, a histogram, an image, a text, and the start and the end of a session.
assert.equal(instance.exports.log(), 17);
console.log('17 events in memory, as expected');
