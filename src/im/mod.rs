//! Instant messaging: one file a feature, one line in one list.
//!
//! A [`Feature`] sees each stanza that answers nothing, is told when the session begins and ends, and gets the answers
//! to what it asked. Its [`Ctx`] is its only way to the outside. To add one, see the
//! [manual](crate::manual::adding_a_xep).

mod cx;
mod facts;
mod feature;
pub mod forms;
mod list;
mod pep;
mod rsm;

pub use cx::{Ctx, Said};
pub use facts::{Facts, WallClock};
pub use feature::{Bytes, Call, Feature, Flow, Named, Never, OrNull, Page, Payload};

use crate::error::Error;
use crate::given::{Arg, Args};
use crate::session::{Origin, Ticket};
use crate::stanza::Stamp;
use crate::xml::Element;
use feature::{from_account, typescript, unfit};
use list::features;
use presence::in_a_line;
use serde::{Serialize, Serializer};

/// The features' part of the app's options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The presence to begin each session with; `None` to stay invisible.
    pub presence: Option<presence::PresenceInit>,
    /// Features that the app has itself: what service discovery says beside those of this client.
    pub features: Vec<String>,
    /// What software the client is.
    pub software: software_version::Software,
    /// Whether those who may know that the user is there are told how long nothing has happened.
    pub last_activity: bool,
    /// Whether copies are wanted of what the account's other clients send and are sent.
    pub carbons: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            presence: Some(presence::PresenceInit::default()),
            features: Vec::new(),
            software: software_version::Software::default(),
            last_activity: true,
            carbons: true,
        }
    }
}

/// Between what two features have saved: XML and JIDs cannot carry it.
const FIELD: &str = "\u{1f}";

// The order is the order in which stanzas are offered, and in which features speak when a session begins: RFC 6121 §2.2
// wants the roster asked for before the first presence, and what comes with that is to find the archive at work. That may hold messages
// back, for the sake of what is told of conversations: what reads something else in them stands before it. Carbons come before
// it looks where it ends: what another client is sent from then on would be neither here nor behind that.
features! {
    Roster => roster::Roster;
    Presence => presence::Presence;
    Pubsub => pubsub::Pubsub;
    Nick => nick::Nicks {
        /// What the sender calls themselves, for those who don't know them yet (XEP-0172). It proves nothing.
        nick: Nick,
    };
    Vcard => vcard::Vcard;
    Avatar => avatar::Avatars;
    Carbons => carbons::Carbons;
    History => history::History;
    Archive => archive::Archive;
    Chat => chat::Chat;
    Ping => ping::Ping;
    Blocking => blocking::Blocking;
    LastActivity => last_activity::LastActivity;
    EntityTime => entity_time::EntityTime;
    SoftwareVersion => software_version::SoftwareVersion;
    Disco => disco::Disco;
    Caps => caps::Caps;
    PrivateXml => private_xml::PrivateXml;
}

impl core::fmt::Debug for Features {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Features(..)")
    }
}
