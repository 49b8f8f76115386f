// The way back from what weave.rs has made of the wasm: streams of text, in front of which is a small wasm that makes one of
// them again (unweave.wat).
export function unweave([unweaver, ...streams]) {
  const module = new WebAssembly.Module(Uint8Array.from(unweaver, (character) => character.charCodeAt() ^ 64));
  const { memory, unweave } = new WebAssembly.Instance(module).exports;
  // For each character there are two bytes of UTF-8 at most, and one that comes out; sizes of functions are few.
  memory.grow((streams.reduce((sum, { length }) => sum + length, 0) * 3 >> 16) + 1);
  const bytes = new Uint8Array(memory.buffer);
  const starts = new Uint32Array(memory.buffer, 0, streams.length);
  let end = starts.byteLength;
  streams.forEach((text, number) => {
    starts[number] = end;
    end += new TextEncoder().encodeInto(text, bytes.subarray(end)).written;
  });
  return bytes.subarray(end, unweave(end));
}
