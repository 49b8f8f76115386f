//! The extensible profile of SASL, XEP-0388 1.0.4 (2025-08-25), and what goes along with it: a resource (Bind 2, XEP-0386
//! 1.1.0, 2025-12-12), the session before (XEP-0198), a token for the next login (FAST, XEP-0484 0.2.0, 2024-06-30).
//!
//! | server | mechanism | what leaves together | round trips |
//! |---|---|---|---|
//! | never met | SCRAM | `<open/>`; `<authenticate/>`; `<response/>` | 3 |
//! | never met | one message | `<open/>`; `<authenticate/>` | 2 |
//! | known | SCRAM | `<open/>`, `<authenticate/>`; `<response/>` | 2 |
//! | known | one message, or a token | `<open/>`, `<authenticate/>` | 1 |
//!
//! It is chosen wherever it is offered on a connection that nobody else can read (XEP-0388 §5, XEP-0484 §7). From
//! `<authenticate/>` to `<success/>` nothing else leaves (§2.4). What a `<success/>` carries counts once the mechanism has had its
//! proof, and not before.
//!
//! Left out: tasks (§2.6.3), so that an account that wants a second factor can't log in; they are declined. Upgrades of what the
//! server stores (XEP-0480), which are never asked for. Channel binding of tokens, for which a page has no data.

use super::binding;
use super::login::{no_base64, violation_of};
use super::{Negotiate, Outcome, Progress, Step};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::sasl::{Credentials, Exchange, IssuedToken, Mechanism, Offer, Secret};
use crate::session::Shared;
use crate::session::config::CredentialSource;
use crate::session::memory::Known;
use crate::session::online::Sm;
use crate::session::sm::{self, Word};
use crate::stream::features::Inline;
use crate::stream::ns;
use crate::xml::Element;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The resource's first part, where the app names none (XEP-0386 §2.2.1).
const TAG: &str = "stanzawire";

/// What was asked for along with an authentication.
#[derive(Debug)]
pub(super) struct Along {
    /// What of the server's offer it made use of.
    used: Inline,
    /// Whether the session before is to go on.
    resume: bool,
    /// By which mechanism a token is to be used that was asked for.
    token: Option<Mechanism>,
    /// Whether the server was told that nobody looks.
    pub(super) inactive: bool,
}

impl Along {
    /// Whether a resource is to be bound.
    pub(super) fn binds(&self) -> bool {
        self.used.bind.is_some()
    }
}

/// What a `<success/>` has brought.
#[derive(Debug)]
pub(super) struct Bound {
    /// The `<bound/>`.
    pub(super) element: Element,
    /// What was asked for along with it, by their namespaces.
    pub(super) used: Vec<String>,
    /// Stream management, where it was asked for along with it.
    pub(super) sm: Option<Sm>,
    pub(super) inactive: bool,
}

impl Along {
    /// Whether the server offers what was assumed that it would.
    pub(super) fn fits(&self, mechanism: Mechanism, offer: &Offer, inline: &Inline) -> bool {
        let named = match mechanism {
            Mechanism::HashedToken(_) => inline.tokens.contains(&mechanism),
            mechanism => offer.names(mechanism.name()),
        };
        let enabled = |feature: &String| inline.bind.as_ref().is_some_and(|bind| bind.contains(feature));
        named
            && (self.used.bind.is_none() || inline.bind.is_some())
            && self.used.bind.iter().flatten().all(enabled)
            && (!self.resume || inline.resume)
            && self.token.is_none_or(|mechanism| inline.tokens.contains(&mechanism))
    }
}

impl Negotiate {
    /// What the server is known to offer along with an authentication, where that may be made use of before it has said so.
    pub(super) fn inline_known(&self, shared: &Shared) -> Option<Inline> {
        let known = shared.memory.of(&self.endpoint.url).filter(|known| known.pipelining)?;
        known.inline.clone().filter(|_| self.endpoint.private)
    }

    /// Begins with the token that an earlier login was issued, where the server takes it.
    pub(super) fn by_token(&mut self, shared: &mut Shared, inline: &Inline) -> Option<Exchange> {
        let token = shared.agent.token.clone();
        let token = token.filter(|token| inline.tokens.contains(&token.mechanism))?;
        let mechanism = token.mechanism;
        let begun = self.begin(shared, mechanism, Credentials::Issued(token), None, Some(inline));
        begun.ok()
    }

    /// The first message of an exchange, with what goes along (XEP-0388 §2.3).
    pub(super) fn authenticate_with(
        &mut self,
        shared: &mut Shared,
        mechanism: Mechanism,
        initial: &[u8],
        inline: &Inline,
    ) {
        let id = shared.agent_id();
        let by_token = matches!(mechanism, Mechanism::HashedToken(_));
        let no_archive = shared
            .memory
            .of(&self.endpoint.url)
            .is_some_and(|known| known.no_archive);
        // XEP-0386 §2.2: it makes the server drop what it keeps for who is offline, which is in the archive if there is one.
        // A session that can't go on along with the authentication may do so behind it, where there is no resource yet.
        let asleep = shared.asleep.as_ref();
        let waits = asleep.is_some() && !inline.resume;
        // A message in doubt must not arrive any more once the archive has been read. What the server may still have of its session
        // ends with its resource bound anew (RFC 6120 §7.7.2.2), which only the client can ask for where it names it.
        let lingers = asleep.is_none() && shared.bound.is_some() && !shared.outbox.doubts.is_empty();
        let bind = inline.bind.as_ref().filter(|_| !no_archive && !waits && !lingers);
        let asleep = asleep.filter(|_| inline.resume);
        let resume = asleep.map(|asleep| sm::resume(&asleep.id, asleep.ledger.handled));
        // An anonymous account is another one each time.
        let token = inline.tokens.first().copied();
        let token = token.filter(|_| !by_token && mechanism != Mechanism::Anonymous);
        let agent = Element::new("user-agent", ns::SASL2)
            .with_attr("id", id)
            .with_child(Element::new("software", ns::SASL2).with_text(TAG));
        let mut authenticate = Element::new("authenticate", ns::SASL2)
            .with_attr("mechanism", mechanism.name())
            .with_child(Element::new("initial-response", ns::SASL2).with_text(STANDARD.encode(initial)))
            .with_child(agent)
            .with_opt_child(resume);
        let mut along = Along {
            used: Inline::default(),
            resume: asleep.is_some(),
            token,
            inactive: false,
        };
        if let Some(features) = bind {
            let offered = |name: &str| features.iter().any(|feature| feature == name);
            let tag = shared.config.resource.as_deref().unwrap_or(TAG);
            let mut bind = Element::new("bind", ns::BIND2).with_child(Element::new("tag", ns::BIND2).with_text(tag));
            let mut used = Vec::new();
            for (name, xmlns) in &shared.config.inline {
                if offered(xmlns) {
                    bind = bind.with_child(Element::new(*name, *xmlns));
                    used.push((*xmlns).to_owned());
                }
            }
            if offered(ns::CSI) && !shared.visible {
                bind = bind.with_child(Element::new("inactive", ns::CSI));
                used.push(ns::CSI.to_owned());
                along.inactive = true;
            }
            if offered(ns::SM) {
                bind = bind.with_child(sm::enable());
                used.push(ns::SM.to_owned());
            }
            along.used.bind = Some(used);
            authenticate = authenticate.with_child(bind);
            self.binding = true;
        }
        self.binding |= along.resume;
        let fast = match token {
            Some(mechanism) => Some(Element::new("request-token", ns::FAST).with_attr("mechanism", mechanism.name())),
            None => by_token.then(|| Element::new("fast", ns::FAST)),
        };
        shared.write(&authenticate.with_opt_child(fast));
        self.along = Some(along);
    }

    /// What is worth remembering of what the server offers.
    pub(super) fn inline_learnt(&self, shared: &Shared) -> Option<Inline> {
        let (_, inline) = self.offered.sasl2.as_ref()?;
        let own = &shared.config.inline;
        let useful = |feature: &String| {
            let feature = feature.as_str();
            matches!(feature, ns::SM | ns::CSI) || own.iter().any(|(_, xmlns)| *xmlns == feature)
        };
        let bind = inline.bind.as_ref();
        Some(Inline {
            bind: bind.map(|features| features.iter().filter(|feature| useful(feature)).cloned().collect()),
            ..inline.clone()
        })
        .filter(|_| self.endpoint.private)
    }

    /// Whether the server may be hurried from now on: where nothing has left ahead, nobody knows, and the next login will see.
    pub(super) fn may_be_hurried(&self, known: Option<&Known>) -> bool {
        self.ahead.unanswered
            || known.map_or(self.offered.sasl2.is_some() && self.endpoint.private, |known| {
                known.pipelining
            })
    }

    /// The token was refused (XEP-0484 §4.1): on with what the app has, in the same stream.
    pub(super) fn without_token(&mut self, shared: &mut Shared, refusal: Error) -> Outcome {
        if refusal.condition() != Some("temporary-auth-failure") {
            shared.drop_token();
        } else if matches!(shared.config.credentials, CredentialSource::None) {
            return Err(refusal.into());
        }
        self.refused_token = true;
        self.binding = false;
        // All that had left ahead has had its answer.
        self.ahead.unanswered = false;
        self.credentials(shared)
    }

    /// The end of an authentication, and of all that went along (XEP-0388 §2.6.1).
    pub(super) fn succeeded(
        &mut self,
        shared: &mut Shared,
        element: &Element,
        exchange: Exchange,
        along: Along,
    ) -> Outcome {
        let mechanism = exchange.mechanism();
        let data = only(element, "additional-data", ns::SASL2)?.map(decoded).transpose()?;
        if let Err(error) = self.prove(shared, exchange, data.as_deref()) {
            if matches!(mechanism, Mechanism::HashedToken(_)) {
                // Whoever that is, it isn't what the two have in common.
                shared.drop_token();
            }
            return Err(error.into());
        }
        // From here on what it says is the server's.
        let Some(identifier) = only(element, "authorization-identifier", ns::SASL2)? else {
            return Err(violation_of("the server didn't say who was authenticated"));
        };
        let jid = Jid::parse(identifier.text().trim()).ok();
        let jid = binding::ours(shared, jid)?;
        let asked = along
            .token
            .or(Some(mechanism).filter(|_| matches!(mechanism, Mechanism::HashedToken(_))));
        if let (Some(token), Some(mechanism)) = (only(element, "token", ns::FAST)?, asked) {
            let secret = Secret::new(token.attr("token").unwrap_or_default().as_bytes().to_vec());
            shared.issued(IssuedToken { mechanism, secret });
        }
        let resumed = only(element, "resumed", ns::SM)?;
        let failed = only(element, "failed", ns::SM)?;
        let bound = only(element, "bound", ns::BIND2)?;
        let foreign =
            (resumed.is_some() || failed.is_some()) && !along.resume || bound.is_some() && along.used.bind.is_none();
        if foreign || resumed.is_some() && (failed.is_some() || bound.is_some()) {
            return Err(violation_of(
                "the server did along with the authentication what it wasn't asked for",
            ));
        }
        if let Some(resumed) = resumed {
            if !matches!(sm::read(resumed), Some(Word::Resumed { .. })) {
                return Err(violation_of(
                    "the server didn't say which session it resumed, and how far that had come",
                ));
            }
            if jid.is_full() && shared.asleep.as_ref().is_some_and(|asleep| asleep.jid != jid) {
                return Err(violation_of(
                    "the server resumed another session than the one asked for",
                ));
            }
            self.features_to_come = true;
            return self.resumed(shared, resumed);
        }
        if along.resume {
            let h = match failed.and_then(sm::read) {
                Some(Word::Failed { h }) => h,
                _ => None,
            };
            binding::not_resumed(shared, h);
        }
        let Some(bound) = bound else {
            // Neither was there a session to go on with, nor a resource: RFC 6120 §7 has the way on.
            return Ok(Progress::To(Step::Features { authenticated: true }));
        };
        if !jid.is_full() {
            let message = "the server bound something that is no full JID";
            return Err(Error::new(Code::BindFailed, Phase::Bind, message).into());
        }
        let enabled = along.used.bind.iter().flatten().any(|feature| feature == ns::SM);
        let sm = enabled.then(
            || match only(bound, "enabled", ns::SM).ok().flatten().and_then(sm::read) {
                Some(Word::Enabled { id, location }) => Sm::On { id, location },
                _ => Sm::Off,
            },
        );
        let waits = sm.is_none();
        self.bound = Some(Bound {
            element: bound.clone(),
            used: along.used.bind.unwrap_or_default(),
            sm,
            inactive: along.inactive,
        });
        if waits {
            // Whether there is stream management the features say, which follow at once.
            let early = Vec::new();
            return Ok(Progress::To(Step::Bound { jid, early }));
        }
        self.features_to_come = true;
        Ok(Progress::Bound(jid, Vec::new()))
    }

    /// The account is to do more than to authenticate (XEP-0388 §2.6.3).
    pub(super) fn asked_for_more(&mut self, shared: &mut Shared, element: &Element, exchange: Exchange) -> Outcome {
        let data = only(element, "additional-data", ns::SASL2)?.map(decoded).transpose()?;
        self.prove(shared, exchange, data.as_deref())?;
        let tasks = element.child("tasks", ns::SASL2);
        let tasks = tasks.into_iter().flat_map(Element::children);
        let names: Vec<String> = tasks.map(|task| task.text().chars().take(40).collect()).collect();
        let names = names.get(..names.len().min(8)).unwrap_or_default().join(", ");
        // §4.6: politely.
        let abort = Element::new("abort", ns::SASL2);
        let reason = "this client has none of these tasks";
        shared.write(&abort.with_child(Element::new("text", ns::SASL2).with_text(reason)));
        let message = "the server wants more than to authenticate, which this library can't do: ".to_owned() + &names;
        let error = Error::new(Code::NoMechanism, Phase::Auth, message)
            .with_text(element.child_text("text", ns::SASL2))
            .with_hint("The account may have a second factor. Ask the server's operator for a password for apps.");
        Err(error.into())
    }
}

/// The only child of that name. Of two nobody knows which one to believe.
fn only<'a>(element: &'a Element, name: &str, xmlns: &str) -> Result<Option<&'a Element>, super::Failure> {
    let mut children = element.all(name, xmlns);
    match (children.next(), children.next()) {
        (child, None) => Ok(child),
        _ => Err(violation_of(
            "the server said two things of one kind along with the authentication",
        )),
    }
}

/// XEP-0388 §2.2: an empty element is data of no bytes.
fn decoded(element: &Element) -> Result<Vec<u8>, super::Failure> {
    let data = STANDARD.decode(element.text().trim());
    data.map_err(|_| no_base64())
}
