//! The wasm, laid out so that it compresses well: the way back is `unweave.js`.
//!
//! In a wasm file numbers of different kinds lie side by side: an opcode, a local's number, the offset of a field. A
//! compressor that looks at the last bytes to guess the next one does better where each kind has a stream of its own. The
//! sizes of functions are left out, as they follow from the rest. The way back is wasm itself (`unweave.wat`).
//!
//! Only what the compiler makes for `build.rs`'s features is understood: an instruction beyond it fails the build.

use Stream::{Branches, Constants, Locals, Offsets, Plain};
use anyhow::{Context, Result, bail};

/// How a page gets back what was woven.
pub(crate) const UNWEAVE: &str = include_str!("unweave.js");

/// The wasm that does it, with what tools can see of its names.
pub(crate) fn unweaver() -> Result<Vec<u8>> {
    wat::parse_str(include_str!("unweave.wat")).context("unweave.wat can't be assembled")
}

/// In the order of `unweave.wat`.
#[derive(Clone, Copy)]
enum Stream {
    Plain,
    Offsets,
    Constants,
    Locals,
    Branches,
}

/// The number of the section that has the functions' code.
const CODE: u8 = 10;

/// What `unweave.wat` takes to make `wasm` again.
pub(crate) fn weave(wasm: &[u8]) -> Result<[Vec<u8>; 5]> {
    let mut weaver = Weaver {
        rest: wasm,
        streams: Default::default(),
    };
    weaver.bytes(8)?;
    while !weaver.rest.is_empty() {
        let section = weaver.byte(Plain)?;
        let size = weaver.number(Plain)?;
        if section == CODE {
            for _ in 0..weaver.number(Plain)? {
                let size = weaver.leave_out()?;
                let (body, behind) = weaver.rest.split_at_checked(size).context("the wasm is cut off")?;
                weaver.rest = body;
                weaver.body()?;
                if !weaver.rest.is_empty() {
                    bail!("a function of the wasm does not end where it says");
                }
                weaver.rest = behind;
            }
        } else {
            weaver.bytes(size)?;
        }
    }
    Ok(weaver.streams)
}

struct Weaver<'a> {
    rest: &'a [u8],
    streams: [Vec<u8>; 5],
}

impl Weaver<'_> {
    fn body(&mut self) -> Result<()> {
        for _ in 0..self.number(Plain)? {
            self.number(Plain)?;
            self.byte(Plain)?;
        }
        let mut depth = 1;
        while depth > 0 {
            match self.byte(Plain)? {
                // block, loop, if
                0x02..=0x04 => {
                    depth += 1;
                    self.number(Plain)?;
                }
                // end
                0x0b => depth -= 1,
                // br, br_if
                0x0c | 0x0d => {
                    self.number(Branches)?;
                }
                // br_table, and its default
                0x0e => {
                    for _ in 0..=self.number(Branches)? {
                        self.number(Branches)?;
                    }
                }
                // call_indirect
                0x11 => {
                    self.number(Plain)?;
                    self.number(Plain)?;
                }
                0x20..=0x22 => {
                    self.number(Locals)?;
                }
                // A load or a store: its alignment tells of its kind.
                0x28..=0x3e => {
                    if self.number(Plain)? > 31 {
                        bail!("the wasm has several memories");
                    }
                    self.number(Offsets)?;
                }
                // i32.const
                0x41 => {
                    self.number(Constants)?;
                }
                // call, global.*, table.*, memory.size, memory.grow, i64.const, ref.null, ref.func
                0x10 | 0x23..=0x26 | 0x3f | 0x40 | 0x42 | 0xd0 | 0xd2 => {
                    self.number(Plain)?;
                }
                // f64.const
                0x44 => self.bytes(8)?,
                // Saturating conversions; the operations on whole memories and tables.
                0xfc => {
                    let immediates = match self.number(Plain)? {
                        0..=7 => 0,
                        8 | 10 | 12 | 14 => 2,
                        9 | 11 | 13 | 15..=17 => 1,
                        kind => bail!("the wasm has an instruction 0xfc {kind}"),
                    };
                    for _ in 0..immediates {
                        self.number(Plain)?;
                    }
                }
                // unreachable, nop, else, return, drop, select, and what computes
                0x00 | 0x01 | 0x05 | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
                code => bail!("the wasm has an instruction {code:#x}"),
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Result<u8> {
        let (byte, rest) = self.rest.split_first().context("the wasm is cut off")?;
        self.rest = rest;
        Ok(*byte)
    }

    fn put(&mut self, stream: Stream, byte: u8) {
        let [plain, offsets, constants, locals, branches] = &mut self.streams;
        let stream = match stream {
            Plain => plain,
            Offsets => offsets,
            Constants => constants,
            Locals => locals,
            Branches => branches,
        };
        stream.push(byte);
    }

    fn byte(&mut self, stream: Stream) -> Result<u8> {
        let byte = self.take()?;
        self.put(stream, byte);
        Ok(byte)
    }

    fn bytes(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.byte(Plain)?;
        }
        Ok(())
    }

    /// Copies a number in LEB128. The value is only right where it is unsigned.
    fn number(&mut self, stream: Stream) -> Result<usize> {
        self.leb128(Some(stream))
    }

    /// Reads a number that follows from the rest.
    fn leave_out(&mut self) -> Result<usize> {
        self.leb128(None)
    }

    fn leb128(&mut self, stream: Option<Stream>) -> Result<usize> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.take()?;
            if let Some(stream) = stream {
                self.put(stream, byte);
            }
            value |= u128::from(byte & 127) << shift;
            if byte < 128 {
                // What is cut off here is no size, but a constant.
                return Ok(value as usize);
            }
        }
        bail!("a number in the wasm is too long")
    }
}
