//! Instant messaging: one file a feature, one line in one list.
//!
//! A [`Feature`] sees each stanza that answers nothing, is told when the session begins and ends, and gets the answers
//! to what it asked. Its [`Ctx`] is its only way to the outside. To add one, see the
//! [manual](crate::manual::adding_a_xep).

use crate::error::Error;
use crate::jid::Jid;
use crate::session::tracker::PATIENCE;
use crate::session::{Doubt, Kind, Millis, Origin, Outgoing, Session, Status, Ticket, Token};
use crate::xml::Element;
use serde::{Serialize, Serializer};

/// One feature of the client.
pub trait Feature: Sized {
    /// What the app can call.
    type Command;
    /// What a call resolves to.
    type Reply: Serialize;
    /// What listeners are told.
    type Event: Named + Serialize;

    /// What the feature adds to the client's service discovery information (XEP-0030 §3.1).
    const DISCO: &'static [&'static str] = &[];

    /// What the feature wants enabled along with a resource (XEP-0386 §2.2): an element's name, and its namespace, by which the
    /// server says that it can.
    const INLINE: Option<(&'static str, &'static str)> = None;

    /// The name that what it saves is kept under.
    const NAME: &'static str = "";

    /// Before the first connection.
    fn new(config: &Config) -> Self;

    /// The app calls. The ticket is to be settled by [`Ctx::reply`], now or later.
    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Self::Command);

    /// A resource is about to be bound, by a server that may not have proved itself yet. What is sent here saves a round trip,
    /// and must give nothing of the app's away. [`Feature::on_online`] follows, or [`Feature::on_offline`].
    fn on_binding(&mut self, _cx: &mut Ctx<'_>) {}

    /// A resource is bound. What is sent here goes out before anything that the app has waiting.
    fn on_online(&mut self, _cx: &mut Ctx<'_>) {}

    /// A stanza came in. [`Flow::Taken`] keeps it from the features further down the list; a request must be answered
    /// before it is taken.
    fn on_stanza(&mut self, _cx: &mut Ctx<'_>, _stanza: &Element) -> Flow {
        Flow::Next
    }

    /// What [`Ctx::ask`] or [`Ctx::deliver`] asked has come to its end.
    fn on_reply(&mut self, _cx: &mut Ctx<'_>, _token: Token, _result: Result<Option<Element>, Error>) {}

    /// The session goes on over a new connection: what was asked still gets its answer, and nothing has been lost. Where it
    /// was `restored`, an earlier page has begun it, and this one has asked nothing in it yet. What that page said last, the
    /// messages apart, may be `lost`.
    fn on_resumed(&mut self, _cx: &mut Ctx<'_>, _restored: bool, _lost: bool) {}

    /// A message that an earlier page had sent has come to its end; an `Ok` may have the `<stanza-id/>` of its archive.
    fn on_kept(&mut self, _cx: &mut Ctx<'_>, _message: &Element, _result: &Result<Option<Element>, Error>) {}

    /// What a later page is to know of this one's session, in text without control characters. Called when something
    /// has changed, at most once a second, so it may cost some microseconds and no more.
    fn save(&self) -> Option<String> {
        None
    }

    /// What an earlier page had saved, before the first connection.
    fn restore(&mut self, _cx: &mut Ctx<'_>, _saved: &str) {}

    /// The time set by [`Ctx::set_timer`] has come, whether there is a connection or not.
    fn on_timer(&mut self, _cx: &mut Ctx<'_>) {}

    /// The session is over. Everything asked in it has been settled before.
    fn on_offline(&mut self, _cx: &mut Ctx<'_>) {}
}

/// An event has the name that listeners know it by.
pub trait Named {
    /// The name.
    fn name(&self) -> &'static str;

    /// What listeners get as its `error`. It has no part in how the event is serialized: the edge makes it a real `Error`.
    fn error(&self) -> Option<&Error> {
        None
    }
}

/// Whether a stanza goes on to the next feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It goes on.
    Next,
    /// It has been dealt with.
    Taken,
}

/// For features without commands, replies or events: there is none of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Never {}

impl Serialize for Never {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl Named for Never {
    fn name(&self) -> &'static str {
        match *self {}
    }
}

/// The features' part of the app's options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The presence to begin each session with; `None` to stay invisible.
    pub presence: Option<presence::PresenceInit>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            presence: Some(presence::PresenceInit::default()),
        }
    }
}

/// What a feature says to the engine.
#[derive(Debug)]
pub enum Said {
    /// To the listeners.
    Event(Event),
    /// To a caller.
    Reply(Ticket, Result<Reply, Error>),
    /// To the clock: the timer of the feature with this place in the list, in the place of what it was set to.
    Timer(u8, Option<Millis>),
}

/// A feature's way to the outside.
pub struct Ctx<'a> {
    now: Millis,
    session: &'a mut Session,
    said: &'a mut Vec<Said>,
    owner: u8,
    /// Whether what is sent is to leave ahead of the session.
    ahead: bool,
}

impl<'a> Ctx<'a> {
    /// For whichever feature is called next.
    pub fn new(now: Millis, session: &'a mut Session, said: &'a mut Vec<Said>) -> Self {
        Ctx {
            now,
            session,
            said,
            owner: Origin::APP,
            ahead: false,
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The bound address, while online.
    pub fn jid(&self) -> Option<&Jid> {
        self.session.jid()
    }

    /// The account.
    pub fn account(&self) -> &Jid {
        // An anonymous account learns its address when it is bound.
        self.session.jid().unwrap_or_else(|| self.session.account())
    }

    /// Whether the account is another one each time, and has its address from the server.
    pub fn is_anonymous(&self) -> bool {
        self.session.account().local().is_none()
    }

    /// What the server said of the resource, where it was bound along with the authentication: a `<bound/>` (XEP-0386 §2.2).
    pub fn inline(&self) -> Option<&Element> {
        self.session.inline()
    }

    /// Whether the server keeps an archive for the account. One that doesn't is asked for a resource in another way, by which
    /// it hands over what it kept for somebody who was offline.
    pub fn learn_of_archive(&mut self, archive: bool) {
        self.session.learn_of_archive(archive);
    }

    /// The connection's state.
    pub fn status(&self) -> Status {
        self.session.status()
    }

    /// 128 random bits as text.
    pub fn id(&mut self) -> String {
        self.session.rng().id()
    }

    /// Tells the listeners.
    pub fn emit(&mut self, event: Event) {
        self.said.push(Said::Event(event));
    }

    /// Settles a call.
    pub fn reply(&mut self, ticket: Ticket, result: Result<Reply, Error>) {
        self.said.push(Said::Reply(ticket, result));
    }

    /// Sends a stanza of the feature's own.
    ///
    /// # Errors
    /// As [`Ctx::ask`].
    pub fn send(&mut self, stanza: &Element) -> Result<(), Error> {
        let outgoing = Outgoing::new(stanza, Kind::Send, None)?;
        self.submit(outgoing)
    }

    /// Answers a request. Where it cannot be sent, the session that it belonged to is over.
    pub fn answer(&mut self, answer: &Element) {
        let _ = self.send(answer);
    }

    /// Asks by an iq; [`Feature::on_reply`] gets the answer. A question on the feature's own account is given up after
    /// 30 s; one for a call lasts as long as the call.
    ///
    /// # Errors
    /// `offline`, `queue-full`, `invalid-argument`: nothing was asked, and nothing will be answered.
    pub fn ask(&mut self, set: bool, to: Option<Jid>, payload: Element, token: Token) -> Result<(), Error> {
        let id = self.id();
        let deadline = match token {
            Token::Own(_) => Some(self.now.after(PATIENCE)),
            Token::Call(_) => None,
        };
        let outgoing = Outgoing::ask(id, set, to, payload, deadline, self.origin(token))?;
        self.submit(outgoing)
    }

    /// Sends a message; [`Feature::on_reply`] hears when the server has taken it, or that it has not.
    ///
    /// # Errors
    /// As [`Ctx::ask`].
    pub fn deliver(&mut self, message: &Element, id: String, to: Jid, token: Token) -> Result<(), Error> {
        let outgoing = Outgoing::message(message, id, to, self.origin(token))?;
        self.submit(outgoing)
    }

    /// The messages of which nobody knows yet whether the server has taken them: their session has ended without its last word.
    /// As long as there are any, no other message of the app's is sent, so that none overtakes them.
    pub fn doubts(&self) -> Vec<Doubt> {
        self.session.doubts()
    }

    /// The archive has a message of ours: one in doubt was taken.
    pub fn found(&mut self, doubt: &Doubt, stanza_id: &Element) {
        self.session.found(doubt, stanza_id);
    }

    /// The archive has been searched. Of the messages still in doubt, those that it would have if they had been taken
    /// (`absent` says so) are sent again; the rest end with `delivery-unknown`, unless the server has said that it
    /// hasn't handled them.
    pub fn end_doubts(&mut self, absent: &dyn Fn(&Doubt) -> bool) {
        self.session.end_doubts(self.now, absent);
    }

    /// The number of the last stanza that was to be sent, and up to which of them it is known of every message what has become
    /// of it.
    pub fn progress(&self) -> (u64, u64) {
        self.session.progress()
    }

    /// Sets the feature's one timer, or stops it: see [`Feature::on_timer`].
    pub fn set_timer(&mut self, at: Option<Millis>) {
        self.said.push(Said::Timer(self.owner, at));
    }

    /// What [`Feature::save`] would say has changed.
    pub fn changed(&mut self) {
        self.session.changed(self.now);
    }

    fn submit(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        if self.ahead {
            self.session.submit_ahead(outgoing)
        } else {
            self.session.submit(self.now, outgoing)
        }
    }

    fn origin(&self, token: Token) -> Origin {
        Origin {
            owner: self.owner,
            token,
        }
    }
}

/// Between what two features have saved: XML and JIDs cannot carry it.
const FIELD: &str = "\u{1f}";

macro_rules! features {
    ($($variant:ident => $module:ident::$feature:ident;)*) => {
        $(pub mod $module;)*

        /// The names of the features' modules, in the order in which stanzas are offered to them.
        pub const NAMES: &[&str] = &[$(stringify!($module)),*];

        /// What all features together add to service discovery.
        pub const DISCO: &[&[&str]] = &[$(<$module::$feature as Feature>::DISCO),*];

        /// What all features together want enabled along with a resource.
        pub const INLINE: &[Option<(&str, &str)>] = &[$(<$module::$feature as Feature>::INLINE),*];

        /// A call to one of the features.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Command {
            $(#[doc = concat!("To `", stringify!($module), "`.")]
            $variant(<$module::$feature as Feature>::Command),)*
        }

        /// What a feature's call resolves to.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Reply {
            $(#[doc = concat!("From `", stringify!($module), "`.")]
            $variant(<$module::$feature as Feature>::Reply),)*
        }

        /// A feature's event.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Event {
            $(#[doc = concat!("From `", stringify!($module), "`.")]
            $variant(<$module::$feature as Feature>::Event),)*
        }

        impl Named for Event {
            fn name(&self) -> &'static str {
                match self {
                    $(Event::$variant(event) => event.name(),)*
                }
            }

            fn error(&self) -> Option<&Error> {
                match self {
                    $(Event::$variant(event) => event.error(),)*
                }
            }
        }

        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Event::$variant(event) => event.serialize(serializer),)*
                }
            }
        }

        impl Serialize for Reply {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Reply::$variant(reply) => reply.serialize(serializer),)*
                }
            }
        }

        /// All features, in the order of the list.
        pub struct Features {
            $($module: $module::$feature,)*
        }

        /// A feature's place in the list.
        enum Place {
            $($variant,)*
        }

        impl Features {
            /// All features, before the first connection.
            pub fn new(config: &Config) -> Features {
                Features {
                    $($module: Feature::new(config),)*
                }
            }

            /// Hands a call to its feature.
            pub fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
                match command {
                    $(Command::$variant(command) => {
                        cx.owner = Place::$variant as u8;
                        self.$module.command(cx, ticket, command);
                    })*
                }
            }

            /// Asks all for what may leave before a session begins.
            pub fn on_binding(&mut self, cx: &mut Ctx<'_>) {
                cx.ahead = true;
                $(cx.owner = Place::$variant as u8;
                self.$module.on_binding(cx);)*
            }

            /// Tells all of a new session.
            pub fn on_online(&mut self, cx: &mut Ctx<'_>) {
                $(cx.owner = Place::$variant as u8;
                self.$module.on_online(cx);)*
            }

            /// Offers a stanza to each in turn.
            pub fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
                $(cx.owner = Place::$variant as u8;
                if self.$module.on_stanza(cx, stanza) == Flow::Taken {
                    return Flow::Taken;
                })*
                Flow::Next
            }

            /// Tells all that the session goes on.
            pub fn on_resumed(&mut self, cx: &mut Ctx<'_>, restored: bool, lost: bool) {
                $(cx.owner = Place::$variant as u8;
                self.$module.on_resumed(cx, restored, lost);)*
            }

            /// Tells all what has become of an earlier page's message.
            pub fn on_kept(&mut self, cx: &mut Ctx<'_>, message: &Element, result: &Result<Option<Element>, Error>) {
                $(cx.owner = Place::$variant as u8;
                self.$module.on_kept(cx, message, result);)*
            }

            /// What all have to save, in one text.
            pub fn save(&self) -> String {
                let mut text = String::new();
                $(if let Some(saved) = self.$module.save() {
                    let name = <$module::$feature as Feature>::NAME;
                    text = [text.as_str(), name, FIELD, &saved, FIELD].concat();
                })*
                text
            }

            /// Hands each what it had saved.
            pub fn restore(&mut self, cx: &mut Ctx<'_>, text: &str) {
                let mut words = text.split(FIELD);
                while let (Some(name), Some(saved)) = (words.next(), words.next()) {
                    $(if !name.is_empty() && name == <$module::$feature as Feature>::NAME {
                        cx.owner = Place::$variant as u8;
                        self.$module.restore(cx, saved);
                    })*
                }
            }

            /// Hands an answer to who asked.
            pub fn on_reply(&mut self, cx: &mut Ctx<'_>, origin: Origin, result: Result<Option<Element>, Error>) {
                $(if origin.owner == Place::$variant as u8 {
                    cx.owner = origin.owner;
                    return self.$module.on_reply(cx, origin.token, result);
                })*
                drop(result);
            }

            /// Tells a feature that its time has come.
            pub fn on_timer(&mut self, cx: &mut Ctx<'_>, owner: u8) {
                $(if owner == Place::$variant as u8 {
                    cx.owner = owner;
                    return self.$module.on_timer(cx);
                })*
            }

            /// Tells all of the session's end.
            pub fn on_offline(&mut self, cx: &mut Ctx<'_>) {
                $(cx.owner = Place::$variant as u8;
                self.$module.on_offline(cx);)*
            }
        }
    };
}

// The order is the order in which stanzas are offered, and in which features speak when a session begins: RFC 6121 §2.2
// wants the roster asked for before the first presence, and what comes with that is to find the archive at work.
features! {
    Roster => roster::Roster;
    Presence => presence::Presence;
    Archive => archive::Archive;
    Chat => chat::Chat;
    Carbons => carbons::Carbons;
    Ping => ping::Ping;
    Disco => disco::Disco;
}

impl core::fmt::Debug for Features {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Features(..)")
    }
}
