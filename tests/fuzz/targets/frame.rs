//! One WebSocket message: in either framing it is read or refused, in bounded memory, and what was read is written and read
//! back equal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stanzawire::stream::framing::{self, Framing};
use stanzawire::xml::{Limits, ReadError, WriteError, read, write};
use stanzawire_fuzz::bounded;

fuzz_target!(|frame: &str| {
    let limits = Limits::default();
    let element = bounded(|| read(frame, &limits));
    let incoming = bounded(|| framing::incoming(frame, &limits));
    let _ = bounded(|| framing::incoming_as(Framing::Draft00, frame, &limits));
    let _ = framing::is_stanza(frame);
    let Ok(element) = element else { return };
    // RFC 7395 §3.3.2: what else may be wrong with an element.
    assert!(matches!(incoming, Ok(_) | Err(ReadError::Namespace)), "{incoming:?}");
    if matches!(element.name(), "message" | "presence" | "iq") {
        assert!(framing::is_stanza(frame), "a stanza");
    }
    // A namespace may have to be declared again for each element in it: the bounds of what is read don't hold for it.
    let roomy = Limits {
        bytes: usize::MAX,
        nodes: 1 << 20,
        ..limits
    };
    match bounded(|| write(&element)) {
        Ok(written) => assert_eq!(bounded(|| read(&written, &roomy)).as_ref(), Ok(&element), "{written}"),
        Err(WriteError::Length) => {}
        Err(error) => panic!("read, but cannot be written: {error}"),
    }
});
