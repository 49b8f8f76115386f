//! The namespaces of the core protocol.

/// RFC 7395 §3.3: `<open/>` and `<close/>`.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// RFC 6120 §4.8.5: stream features and errors.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// RFC 6120 §4.8.2: stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120 §4.8.3: stanzas between servers, which have no place in a client's stream.
pub const SERVER: &str = "jabber:server";
/// RFC 6120 §4.9.2: the conditions of stream errors.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3.2: the conditions of stanza errors.
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §6.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// XEP-0388.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484.
pub const FAST: &str = "urn:xmpp:fast:0";
/// RFC 6120 §7.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921 §3, which RFC 6121 dropped and some servers still ask for.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// XEP-0077.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0004.
pub const FORMS: &str = "jabber:x:data";
/// XEP-0440.
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// XEP-0198.
pub const SM: &str = "urn:xmpp:sm:3";
/// XEP-0352.
pub const CSI: &str = "urn:xmpp:csi:0";
/// XEP-0478.
pub const LIMITS: &str = "urn:xmpp:stream-limits:0";
/// RFC 6121 §2.6.1.
pub const ROSTER_VER: &str = "urn:xmpp:features:rosterver";
/// XEP-0115.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
