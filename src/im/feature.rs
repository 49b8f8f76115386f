//! What a feature is: see [`Feature`].

use super::{Config, Ctx, Facts};
use crate::error::{Code, Error, Phase};
use crate::given::{Arg, Args, invalid};
use crate::jid::Jid;
use crate::session::tracker::PATIENCE;
use crate::session::{Ticket, Token};
use crate::xml::{All, Element};
use serde::{Serialize, Serializer};

/// Declarations in TypeScript, which stand in the package as they are: methods of a feature in an interface `Calls`, its events
/// in one named `FeatureEvents`. There is one of each name in the end.
macro_rules! typescript {
    ($text:literal) => {
        #[cfg(target_arch = "wasm32")]
        #[wasm_bindgen::prelude::wasm_bindgen(typescript_custom_section)]
        const TYPESCRIPT: &str = $text;
    };
}

pub(super) use typescript;

/// A feature that is no more than what messages carry, its entries in service discovery, and perhaps a call that sends such a
/// message: its name, the number of its arguments, and the function that reads them.
macro_rules! carried {
    ($(#[$doc:meta])* $feature:ident, [$($disco:expr),*]) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $feature;

        impl $crate::im::Feature for $feature {
            type Command = $crate::im::Never;
            type Reply = $crate::im::Never;
            type Event = $crate::im::Never;

            const DISCO: &'static [&'static str] = &[$($disco),*];

            fn new(_: &$crate::im::Config) -> Self {
                $feature
            }

            fn command(&mut self, _: &mut $crate::im::Ctx<'_>, _: $crate::session::Ticket, command: Self::Command) {
                match command {}
            }
        }
    };
    ($(#[$doc:meta])* $feature:ident, [$($disco:expr),*], $call:literal / $args:literal by $read:ident) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $feature;

        impl $crate::im::Feature for $feature {
            type Command = $crate::im::message_ref::About;
            type Reply = $crate::im::Never;
            type Event = $crate::im::Never;

            const DISCO: &'static [&'static str] = &[$($disco),*];

            const CALLS: &'static [$crate::im::Call] = &[$crate::im::Call::once($call, $args)];

            const PATIENCE: Option<u64> = None;

            fn new(_: &$crate::im::Config) -> Self {
                $feature
            }

            fn read(_: &str, args: &mut $crate::given::Args) -> Result<Self::Command, $crate::error::Error> {
                $read(args)
            }

            fn command(&mut self, cx: &mut $crate::im::Ctx<'_>, ticket: $crate::session::Ticket, command: Self::Command) {
                command.send(cx, ticket, $crate::im::Reply::Chat);
            }
        }
    };
}

pub(super) use carried;

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

    /// The name that what it saves is kept under.
    const NAME: &'static str = "";

    /// What an app can call: the name by which it does, such as `roster.get`, how many arguments the call has beside its
    /// `CallOptions`, and how it answers.
    const CALLS: &'static [Call] = &[];

    /// How long a call lasts whose caller names no time, in milliseconds; `None` for as long as it takes.
    const PATIENCE: Option<u64> = Some(PATIENCE);

    /// What the feature wants enabled along with a resource (XEP-0386 §2.2): an element's name, and its namespace, by which the
    /// server says that it can.
    fn inline(_config: &Config) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Before the first connection.
    fn new(config: &Config) -> Self;

    /// Reads the arguments of the call of this name, one of [`Feature::CALLS`].
    ///
    /// # Errors
    /// `invalid-argument` and `invalid-jid`: nothing is called.
    fn read(_name: &str, _args: &mut Args) -> Result<Self::Command, Error> {
        Err(unknown_call())
    }

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

    /// The same, where some of it stands in the facts.
    fn save_with(&self, _facts: &Facts) -> Option<String> {
        self.save()
    }

    /// What an earlier page had saved, before the first connection.
    fn restore(&mut self, _cx: &mut Ctx<'_>, _saved: &str) {}

    /// A call was given up, by its caller or for want of time. It is settled behind this.
    fn on_cancelled(&mut self, _cx: &mut Ctx<'_>, _ticket: Ticket) {}

    /// Somebody begins to look at the page, or the device was asleep: what was so may no longer be.
    fn on_wake(&mut self, _cx: &mut Ctx<'_>) {}

    /// The time set by [`Ctx::set_timer`] has come, whether there is a connection or not.
    fn on_timer(&mut self, _cx: &mut Ctx<'_>) {}

    /// The session is over. Everything asked in it has been settled before.
    fn on_offline(&mut self, _cx: &mut Ctx<'_>) {}
}

/// A call of an app's: its name, and how many arguments it has.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Such as `roster.get`, or `send` for one of the client itself.
    pub name: &'static str,
    /// How many arguments there are, the `CallOptions` apart.
    pub args: usize,
    /// It is answered by a [`Page`], and an app iterates over the items of all of them.
    pub paged: bool,
}

impl Call {
    /// One that is answered once.
    pub const fn once(name: &'static str, args: usize) -> Call {
        Call {
            name,
            args,
            paged: false,
        }
    }

    /// One that is answered by pages. For each page but the first the place behind its arguments has what the last one said of
    /// the next.
    pub const fn paged(name: &'static str, args: usize) -> Call {
        Call {
            name,
            args,
            paged: true,
        }
    }
}

/// Some of the items that a call asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// By which the next page is asked for; none where this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something that a message can carry beside its text. It is named in the list behind its feature, as a field of what is sent and
/// of what came in.
pub trait Payload: Sized {
    /// The event that tells of a message which has no text, but this. With an empty one that is nothing to be told.
    const EVENT: &'static str = "";

    /// [`Payload::EVENT`] tells of it even where there is a text: that is only for those who don't know better.
    const LEADS: bool = false;

    /// The same, where the sender says that the text stands in for this namespace (XEP-0428 §2.2).
    const FALLBACK: &'static str = "";

    /// It is of the moment: a message that comes late, from the archive say, is as if it didn't have it. Its event tells of a
    /// message that has nothing else.
    const LIVE: bool = false;

    /// A correction says it again where the app doesn't name another (XEP-0308 §4).
    const STAYS: bool = false;

    /// [`Payload::EVENT`], where it isn't always the same.
    fn event(&self) -> &'static str {
        Self::EVENT
    }

    /// Reads it off a message that came in. Whoever sent it, it says nothing of what others have sent.
    fn read(message: &Element) -> Option<Self>;

    /// Reads what an app has passed.
    ///
    /// # Errors
    /// `invalid-argument`.
    fn given(given: &Arg) -> Result<Self, Error>;

    /// Puts it into a message to be sent.
    fn write(&self, message: Element) -> Element;
}

/// Bytes that an app gets as a `Uint8Array`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bytes(pub Vec<u8>);

#[cfg(not(target_arch = "wasm32"))]
impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

/// What an app gets as `null` where there is none. A field of an [`Option`] isn't there then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrNull<T>(pub Option<T>);

#[cfg(not(target_arch = "wasm32"))]
impl<T: Serialize> Serialize for OrNull<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Whether it is the account itself, or the server on its behalf, that has sent this (RFC 6120 §8.1.2.1).
pub(super) fn from_account(stanza: &Element, account: &Jid) -> bool {
    match stanza.attr("from") {
        None => true,
        Some(from) => Jid::parse(from).is_ok_and(|from| from.is_bare() && from.same_bare(account)),
    }
}

/// What can be read of the first `most` of these elements, where there is any.
pub(super) fn some<T>(elements: All<'_, '_>, most: usize, read: &dyn Fn(&Element) -> Option<T>) -> Option<Vec<T>> {
    let mut some = Vec::new();
    for element in elements.take(most) {
        some.extend(read(element));
    }
    if some.is_empty() { None } else { Some(some) }
}

/// What was answered is no answer to `what`.
pub(super) fn unfit(what: &str) -> Error {
    let message = [what, " was answered by something else"].concat();
    Error::new(Code::ProtocolViolation, Phase::Stanza, message)
}

/// There is no such call.
pub(super) fn unknown_call() -> Error {
    invalid("there is no such call")
}

/// An event has the name that listeners know it by.
pub trait Named {
    /// The name.
    fn name(&self) -> &'static str;

    /// What listeners get as its `error`. It has no part in how the event is serialized: the edge makes it a real `Error`.
    fn error(&self) -> Option<&Error> {
        None
    }

    /// Whether it waits for a listener where it is of a kind that does.
    fn waits(&self) -> bool {
        true
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
