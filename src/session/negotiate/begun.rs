//! The good end of a negotiation: what is remembered of it, and the session that it was for.

use super::Negotiate;
use crate::jid::Jid;
use crate::sasl::Mechanism;
use crate::session::Shared;
use crate::session::io::Millis;
use crate::session::memory::Known;
use crate::session::online::{Begun, Online, Sm};
use crate::session::sm;
use crate::session::state::State;
use crate::session::timers::Timer;
use crate::xml::Element;

impl Negotiate {
    pub(super) fn online(mut self, shared: &mut Shared, now: Millis, jid: Jid, early: Vec<Element>) -> State {
        let bound = self.bound.take();
        let inactive = bound.as_ref().is_some_and(|bound| bound.inactive);
        let (inline, sm) = match bound {
            Some(bound) => (Some((bound.element, bound.used)), bound.sm),
            None => (None, None),
        };
        let sm = sm.unwrap_or(if self.sm { Sm::Asked } else { Sm::Off });
        if matches!(sm, Sm::Asked) && !self.enabled {
            // Before anything that it is to count.
            shared.write(&sm::enable());
        }
        let begun = Begun {
            inline,
            inactive,
            ..self.succeed(shared)
        };
        let ahead = self.ahead.stanzas.take().unwrap_or_default();
        let mut online = Online::start(shared, now, begun, jid, sm, ahead);
        if let Some(login) = self.attempt.ticket {
            shared.settle(login, Ok(()));
        }
        for stanza in early {
            online.stanza(shared, now, stanza);
        }
        State::Online(online)
    }

    /// The server has the session yet: what it hasn't taken is sent again.
    pub(super) fn resume(mut self, shared: &mut Shared, now: Millis) -> State {
        let Some(asleep) = shared.asleep.take() else {
            return self.anew(shared, now, true);
        };
        let begun = self.succeed(shared);
        let online = Online::resume(shared, now, begun, *asleep);
        if let Some(login) = self.attempt.ticket {
            shared.settle(login, Ok(()));
        }
        State::Online(online)
    }

    /// What is remembered of a login that has come to its good end, and what goes on from it.
    fn succeed(&mut self, shared: &mut Shared) -> Begun {
        self.binding = false;
        shared.timers.stop(Timer::Haste);
        let hurried = self.hurried(shared);
        shared.agent.endpoint = Some(self.endpoint.clone());
        let url = self.endpoint.url.clone();
        let known = shared.memory.of(&url);
        // A token says nothing of what there is without it.
        let mechanism = self
            .mechanism
            .filter(|mechanism| !matches!(mechanism, Mechanism::HashedToken(_)));
        let known_by = known.and_then(|known| known.mechanism);
        let known = Known {
            url,
            mechanism: self.better.or(mechanism).or(known_by),
            pipelining: self.may_be_hurried(known),
            session: self.requires_session,
            sm: self.sm || self.features_to_come && known.is_some_and(|known| known.sm),
            stumbles: self.stumbles || self.features_to_come && known.is_some_and(|known| known.stumbles),
            inline: self.inline_learnt(shared),
            no_archive: known.is_some_and(|known| known.no_archive),
        };
        shared.memory.learn(known);
        shared.remember();
        Begun {
            endpoint: self.endpoint.clone(),
            generation: self.generation,
            limits: self.limits,
            csi: self.csi,
            hurried,
            features_to_come: self.features_to_come,
            inline: None,
            inactive: false,
        }
    }
}
