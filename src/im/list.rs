//! What comes of the list of features: the sums of what they can be called, answer and tell, and of what a message can carry.

macro_rules! features {
    ($(
        $variant:ident => $module:ident::$feature:ident
        $({ $($(#[$doc:meta])* $field:ident: $payload:ident,)+ })?;
    )*) => {
        $(pub mod $module;)*

        /// The names of the features' modules, in the order in which stanzas are offered to them.
        pub const NAMES: &[&str] = &[$(stringify!($module)),*];

        /// What all features together add to service discovery.
        pub const DISCO: &[&[&str]] = &[$(<$module::$feature as Feature>::DISCO),*];

        /// What all features together want enabled along with a resource.
        pub fn inline(config: &Config) -> Vec<(&'static str, &'static str)> {
            let mut inline = Vec::new();
            $(if let Some(wanted) = <$module::$feature as Feature>::inline(config) {
                inline.push(wanted);
            })*
            inline
        }

        /// What an app can call.
        pub const CALLS: &[&[Call]] = &[$(<$module::$feature as Feature>::CALLS),*];

        /// Reads the arguments of a call, by its name.
        ///
        /// # Errors
        /// `invalid-argument` and `invalid-jid`: nothing is called.
        pub fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
            let place = CALLS.iter().position(|calls| calls.iter().any(|call| call.name == name));
            $(if place == Some(Place::$variant as usize) {
                return each::read::<$module::$feature, Command>(name, args, Command::$variant);
            })*
            Err(feature::unknown_call())
        }

        /// A call to one of the features.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Command {
            $(#[doc = concat!("To `", stringify!($module), "`.")]
            $variant(<$module::$feature as Feature>::Command),)*
        }

        impl Command {
            /// How long it lasts where the caller names no time, in milliseconds.
            pub fn patience(&self) -> Option<u64> {
                match self {
                    $(Command::$variant(_) => <$module::$feature as Feature>::PATIENCE,)*
                }
            }
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

            fn waits(&self) -> bool {
                match self {
                    $(Event::$variant(event) => event.waits(),)*
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

        /// A message to be sent.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        #[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
        pub struct OutgoingMessage {
            /// To whom: a JID.
            pub to: String,
            /// The text.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub body: Option<String>,
            /// Default `"chat"`.
            #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
            pub kind: Option<chat::MessageType>,
            /// Default 128 random bits.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub id: Option<String>,
            /// What it is about.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub subject: Option<String>,
            /// The conversation it belongs to (RFC 6121 §5.2.5).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub thread: Option<String>,
            $($($($(#[$doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$module::$payload>,)+)?)*
        }

        impl OutgoingMessage {
            /// Reads what an app has passed, the address apart.
            ///
            /// # Errors
            /// `invalid-argument`.
            pub fn given(given: &Arg) -> Result<Box<OutgoingMessage>, Error> {
                let mut message: Box<OutgoingMessage> = Box::default();
                message.body = given.text_of("body")?;
                message.kind = given.of("type", chat::MessageType::given)?;
                message.id = given.text_of("id")?;
                message.subject = given.text_of("subject")?;
                message.thread = given.text_of("thread")?;
                $($($(message.$field = each::given(given, stringify!($field))?;)+)?)*
                Ok(message)
            }

            /// Says again what of a message is said again when it is corrected, where this one doesn't say it itself. What can't be
            /// read of that isn't said.
            fn repeat(&mut self, given: &Arg) {
                for (name, text) in [("subject", &mut self.subject), ("thread", &mut self.thread)] {
                    if text.is_none() {
                        *text = given.text_of(name).unwrap_or_default();
                    }
                }
                $($($(if <$module::$payload as Payload>::STAYS && self.$field.is_none() {
                    self.$field = each::given(given, stringify!($field)).unwrap_or_default();
                })+)?)*
            }

            /// Puts what it carries beside its text into its element.
            #[allow(unused_mut)]
            fn write(&self, mut message: Element) -> Element {
                $($($(message = each::write(&self.$field, message);)+)?)*
                message
            }
        }

        /// A message that came in.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        #[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
        pub struct Message {
            /// Who sent it: mostly a full JID.
            pub from: String,
            /// To whom: one of our own JIDs, except where another client of the account has sent it.
            pub to: String,
            /// The sender's id for it.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub id: Option<String>,
            /// What kind of message.
            #[serde(rename = "type")]
            pub kind: chat::MessageType,
            /// The text.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub body: Option<String>,
            /// What it is about.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub subject: Option<String>,
            /// The conversation it belongs to.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub thread: Option<String>,
            /// The archive's id for it, from our own server, or from the room for a room's message (XEP-0359 §3.1). Whether that
            /// server announces such ids, and so removes forged ones (§5), is not checked yet.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub stanza_id: Option<String>,
            /// The id that the sending client says it gave it (XEP-0359 §3.2).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub origin_id: Option<String>,
            /// When it was sent, where that was not just now.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[cfg_attr(target_arch = "wasm32", tsify(type = "Date"))]
            pub delay: Option<Stamp>,
            /// With type `error`: the condition (RFC 6120 §8.3.3).
            #[serde(skip_serializing_if = "Option::is_none")]
            pub condition: Option<String>,
            /// Where it is a copy of what another client of the account has sent, or was sent (XEP-0280): such a message is never
            /// to be answered by a program. What was sent while this client was away isn't told.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub carbon: Option<carbons::Carbon>,
            /// An occupant of a room has sent it, and to the own account alone (XEP-0045 §7.5): `from` says as a whole who that
            /// is, and the account behind it isn't known.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[cfg_attr(target_arch = "wasm32", tsify(type = "true"))]
            pub occupant: Option<bool>,
            /// The room that it was said in, by its JID: to everybody (type `"groupchat"`), or to us alone (`occupant`). Then `nick` is
            /// that of the sender there, as the room says; without one it is the room itself that speaks.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub room: Option<String>,
            /// Who in the room has sent it, whatever the nickname (XEP-0421). Only from rooms that say they tell it.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub occupant_id: Option<String>,
            /// In a room: it is our own, which has come back from there.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[cfg_attr(target_arch = "wasm32", tsify(type = "true"))]
            pub own: Option<bool>,
            /// With a retraction by a room's moderators: who, and why (XEP-0425).
            #[serde(skip_serializing_if = "Option::is_none")]
            #[cfg_attr(target_arch = "wasm32", tsify(type = "{ by?: string; occupantId?: string; reason?: string }"))]
            pub moderation: Option<rooms::Moderation>,
            /// Whose it is, for those that say something of it later: an occupant of a room, as far as one can be told from another.
            #[serde(skip)]
            pub(in crate::im) author: Option<String>,
            $($($($(#[$doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$module::$payload>,)+)?)*
        }

        impl Message {
            /// Reads what a message carries beside its text.
            #[allow(unused_variables)]
            fn read_payloads(&mut self, message: &Element) {
                $($($(self.$field = each::read_payload(message);)+)?)*
            }

            /// As one that comes late: without what is of the moment.
            fn forget_live(&mut self) {
                $($($(if <$module::$payload as Payload>::LIVE {
                    self.$field = None;
                })+)?)*
            }

            /// The event that tells of it; none where there is nothing to tell.
            pub fn event(&self) -> Option<&'static str> {
                let told = |event: &'static str| Some(event).filter(|event| !event.is_empty());
                $($($(if let Some(payload) = &self.$field
                    && (<$module::$payload as Payload>::LEADS || self.stands_in(<$module::$payload as Payload>::FALLBACK))
                {
                    return told(payload.event());
                })+)?)*
                if self.body.is_some() || self.subject.is_some() || self.kind == chat::MessageType::Error {
                    return Some("message");
                }
                let mut event = None;
                $($($(if let Some(payload) = &self.$field && !<$module::$payload as Payload>::LIVE {
                    event = event.or(told(payload.event()));
                })+)?)*
                $($($(if let Some(payload) = &self.$field && <$module::$payload as Payload>::LIVE {
                    event = event.or(told(payload.event()));
                })+)?)*
                event
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
                        each::command(&mut self.$module, cx, ticket, command);
                    })*
                }
            }

            /// Asks all for what may leave before a session begins.
            pub fn on_binding(&mut self, cx: &mut Ctx<'_>) {
                cx.ahead = true;
                $(cx.owner = Place::$variant as u8;
                each::on_binding(&mut self.$module, cx);)*
            }

            /// Tells all of a new session.
            pub fn on_online(&mut self, cx: &mut Ctx<'_>) {
                $(cx.owner = Place::$variant as u8;
                each::on_online(&mut self.$module, cx);)*
            }

            /// Offers a stanza to each in turn.
            pub fn on_stanza(&mut self, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
                $(cx.owner = Place::$variant as u8;
                if each::on_stanza(&mut self.$module, cx, stanza) == Flow::Taken {
                    return Flow::Taken;
                })*
                Flow::Next
            }

            /// Tells all that the session goes on.
            pub fn on_resumed(&mut self, cx: &mut Ctx<'_>, restored: bool, lost: bool) {
                $(cx.owner = Place::$variant as u8;
                each::on_resumed(&mut self.$module, cx, restored, lost);)*
            }

            /// Tells all what has become of an earlier page's message.
            pub fn on_kept(&mut self, cx: &mut Ctx<'_>, message: &Element, result: &Result<Option<Element>, Error>) {
                $(cx.owner = Place::$variant as u8;
                each::on_kept(&mut self.$module, cx, message, result);)*
            }

            /// Tells all that a call was given up.
            pub fn on_cancelled(&mut self, cx: &mut Ctx<'_>, ticket: Ticket) {
                $(cx.owner = Place::$variant as u8;
                each::on_cancelled(&mut self.$module, cx, ticket);)*
            }

            /// Tells all that somebody looks, or that the device was asleep.
            pub fn on_wake(&mut self, cx: &mut Ctx<'_>) {
                $(cx.owner = Place::$variant as u8;
                each::on_wake(&mut self.$module, cx);)*
            }

            /// What all have to save, in one text.
            pub fn save(&self, facts: &Facts) -> String {
                let mut text = String::new();
                $(if !<$module::$feature as Feature>::NAME.is_empty()
                    && let Some(saved) = each::save(&self.$module, facts)
                {
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
                        each::restore(&mut self.$module, cx, saved);
                    })*
                }
            }

            /// Hands an answer to who asked.
            pub fn on_reply(&mut self, cx: &mut Ctx<'_>, origin: Origin, result: Result<Option<Element>, Error>) {
                $(if origin.owner == Place::$variant as u8 {
                    cx.owner = origin.owner;
                    return each::on_reply(&mut self.$module, cx, origin.token, result);
                })*
                drop(result);
            }

            /// Tells a feature that its time has come.
            pub fn on_timer(&mut self, cx: &mut Ctx<'_>, owner: u8) {
                $(if owner == Place::$variant as u8 {
                    cx.owner = owner;
                    return each::on_timer(&mut self.$module, cx);
                })*
            }

            /// Tells all of the session's end.
            pub fn on_offline(&mut self, cx: &mut Ctx<'_>) {
                $(cx.owner = Place::$variant as u8;
                each::on_offline(&mut self.$module, cx);)*
            }
        }
    };
}

pub(super) use features;
