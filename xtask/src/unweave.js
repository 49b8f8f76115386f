// The way back from what weave.rs has made of the wasm: streams of text, one character a byte, exclusive or 64.
// PLAIN has everything in its order but for the immediates that have a stream of their own, and the sizes of functions.
const [PLAIN, OFFSETS, CONSTANTS, LOCALS, BRANCHES] = [0, 1, 2, 3, 4];

export function unweave(streams) {
  const read = streams.map(() => 0);
  const out = [];
  const byte = (stream) => {
    const value = streams[stream].charCodeAt(read[stream]++) ^ 64;
    out.push(value);
    return value;
  };
  const bytes = (count) => {
    while (count-- > 0) byte(PLAIN);
  };
  // LEB128, copied as it stands.
  const number = (stream) => {
    let value = 0;
    let last;
    let scale = 1;
    do {
      last = byte(stream);
      value += (last & 127) * scale;
      scale *= 128;
    } while (last > 127);
    return value;
  };
  const body = () => {
    for (let groups = number(PLAIN); groups-- > 0; byte(PLAIN)) number(PLAIN);
    for (let depth = 1; depth;) {
      const code = byte(PLAIN);
      if (code > 1 && code < 5) {
        depth++;
        number(PLAIN); // block, loop, if
      } else if (code === 0x0b) depth--; // end
      else if (code === 0x0c || code === 0x0d) number(BRANCHES); // br, br_if
      else if (code === 0x0e) for (let labels = number(BRANCHES); labels-- >= 0;) number(BRANCHES); // br_table
      else if (code === 0x11) number(PLAIN), number(PLAIN); // call_indirect
      else if (code > 0x1f && code < 0x23) number(LOCALS);
      else if (code > 0x27 && code < 0x3f) number(PLAIN), number(OFFSETS); // load, store
      else if (code === 0x41) number(CONSTANTS); // i32.const
      else if (code === 0x44) bytes(8); // f64.const
      else if (code === 0xfc) {
        const kind = number(PLAIN);
        // memory.init, memory.copy, table.init, table.copy have two; what comes before them has none.
        for (let left = kind < 8 ? 0 : kind < 15 && kind % 2 === 0 ? 2 : 1; left-- > 0;) number(PLAIN);
      } else if (code === 0x10 || code > 0x22 && code < 0x43 || code === 0xd0 || code === 0xd2) number(PLAIN);
    }
  };
  bytes(8);
  while (read[PLAIN] < streams[PLAIN].length) {
    const section = byte(PLAIN);
    const size = number(PLAIN);
    if (section !== 10) bytes(size);
    else for (let bodies = number(PLAIN); bodies-- > 0;) {
      const start = out.length;
      body();
      const written = out.splice(start);
      let left = written.length;
      for (; left > 127; left >>= 7) out.push(left & 127 | 128);
      out.push(left);
      for (const value of written) out.push(value);
    }
  }
  return new Uint8Array(out);
}
