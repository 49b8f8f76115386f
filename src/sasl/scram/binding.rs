//! Channel binding: RFC 5802 §6 (July 2010). The login is tied to the encrypted connection that it takes place on, so
//! that nobody in between can relay it.
//!
//! Left out: the data of any type; a browser shows none to a page. An edge that has them gives them.

/// What the two ends of an encrypted connection know of it and nobody in between does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelBinding {
    /// The type, by its name in the IANA registry: `tls-exporter` (RFC 9266), `tls-server-end-point` (RFC 5929).
    pub name: String,
    /// The data, as the type has them.
    pub data: Vec<u8>,
}

impl ChannelBinding {
    /// RFC 5802 §7: `cb-name = 1*(ALPHA / DIGIT / "." / "-")`. Data of no bytes would bind to nothing.
    pub(in crate::sasl) fn is_sound(&self) -> bool {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        !self.data.is_empty() && !self.name.is_empty() && self.name.bytes().all(named)
    }
}

/// What the client says of channel binding; the GS2 header follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding<'a> {
    /// The client can't bind to the channel: "n". A browser never can.
    Impossible,
    /// The client could, and the server offers it, but in no way that is common to both: "n". What the server says of its
    /// offer then has to come with a hash of it (XEP-0474 §7).
    Unshared,
    /// The client could, and saw no offer of it: "y". A server that made one knows from this that it was taken away.
    Unoffered,
    /// The client binds: "p".
    Bound(&'a ChannelBinding),
}

impl Binding<'_> {
    /// RFC 5802 §7: `gs2-header = gs2-cbind-flag "," [authzid] ","`.
    pub(super) fn gs2_header(self) -> String {
        match self {
            Binding::Impossible | Binding::Unshared => "n,,".to_owned(),
            Binding::Unoffered => "y,,".to_owned(),
            Binding::Bound(binding) => ["p=", &binding.name, ",,"].concat(),
        }
    }

    /// RFC 5802 §7: `cbind-input = gs2-header [ cbind-data ]`, the data only where the client binds.
    pub(super) fn input(self) -> Vec<u8> {
        let mut input = self.gs2_header().into_bytes();
        if let Binding::Bound(binding) = self {
            input.extend_from_slice(&binding.data);
        }
        input
    }
}
