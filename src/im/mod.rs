//! Instant messaging: one file a feature, one line in one list.
//!
//! A [`Feature`] sees each stanza that answers nothing, is told when the session begins and ends, and gets the answers
//! to what it asked. Its [`Ctx`] is its only way to the outside. To add one, see the
//! [manual](crate::manual::adding_a_xep).

mod cx;
mod each;
mod facts;
mod feature;
pub mod forms;
mod known;
mod list;
mod message_ref;
mod pep;
mod positions;
mod rsm;
mod sorted;

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
    /// Whether receipts are sent to those who ask for them and may know that we are there.
    pub receipts: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            presence: Some(presence::PresenceInit::default()),
            features: Vec::new(),
            software: software_version::Software::default(),
            last_activity: true,
            carbons: true,
            receipts: true,
        }
    }
}

/// Between what two features have saved: XML and JIDs cannot carry it.
const FIELD: &str = "\u{1f}";

// The order is the order in which stanzas are offered, and in which features speak when a session begins: RFC 6121 §2.2
// wants the roster asked for before the first presence, and what comes with that is to find the archive at work. That may hold messages
// back, for the sake of what is told of conversations: what reads something else in them stands before it. Carbons come before it looks
// where the archive ends: what another client is sent from then on would be neither here nor behind that.
features! {
    Roster => roster::Roster;
    Presence => presence::Presence;
    // What rooms say is for nobody else before it has been looked at; and they are entered behind the first presence.
    Rooms => rooms::Rooms;
    Pubsub => pubsub::Pubsub;
    Displayed => displayed::Displayed;
    Nick => nick::Nicks {
        /// What the sender calls themselves, for those who don't know them yet (XEP-0172). It proves nothing.
        nick: Nick,
    };
    Vcard => vcard::Vcard;
    Avatar => avatar::Avatars;
    Carbons => carbons::Carbons;
    History => history::History;
    // These want to see what comes in before the archive makes it wait.
    Receipts => receipts::Receipts {
        /// That the sender would like to know when it has come in, or that one of ours has (XEP-0184).
        receipt: Receipt,
    };
    ChatStates => chat_states::ChatStates {
        /// How far the sender is in the chat (XEP-0085).
        state: ChatState,
    };
    Archive => archive::Archive;
    Chat => chat::Chat;
    Corrections => correction::Corrections {
        /// It takes the place of an earlier message: of the one with this id **that the same sender has sent** in this conversation,
        /// between two of the same bare JID, in a room of the same full one. Where it is known that somebody else has sent that,
        /// the correction is told as a message without this field; that is known of the last 1,000 messages (XEP-0308).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "string"))]
        replaces: Replaces,
    };
    Retractions => retraction::Retractions {
        /// The sender wishes that the message with this id (in a room with that `stanzaId`) be forgotten, **which the same sender has
        /// sent**: see the event `retraction` (XEP-0424).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "string"))]
        retracts: Retracts,
    };
    Reacting => reactions::Reacting {
        /// Emojis for a message (XEP-0444).
        reactions: Reactions,
    };
    Replies => replies::Replies {
        /// Which message it answers (XEP-0461).
        reply: Reply,
    };
    Fallen => fallback::Fallen {
        /// Which parts of its texts are only for those who don't know something else that it says (XEP-0428).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "Fallback[]"))]
        fallback: Fallbacks,
    };
    Hinting => hints::Hinting {
        /// What may be done with it (XEP-0334).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "Hint[]"))]
        hints: Hints,
    };
    Oob => oob::Oob {
        /// What is to be found elsewhere (XEP-0066).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "OutOfBand[]"))]
        oob: Elsewhere,
    };
    Referring => references::Referring {
        /// What parts of its body are about (XEP-0372).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "Reference[]"))]
        references: References,
    };
    Sharing => files::Sharing {
        /// Files that it points to (XEP-0447).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "SharedFile[]"))]
        files: Files,
    };
    Styling => styling::Styling {
        /// Its body isn't to be styled (XEP-0393).
        #[cfg_attr(target_arch = "wasm32", tsify(type = "true"))]
        unstyled: Unstyled,
    };
    Markers => markers::Markers {
        /// That the sender would like to know whether it is seen, or up to which message the conversation has been (XEP-0333).
        marker: Marker,
    };
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
