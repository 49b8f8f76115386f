//! The network: WebSocket connections, each two ways that keep their order. A frame that is under way arrives whole or not at
//! all; where a way is cut, its tail is lost, and each side learns of it when it does, or never.

use crate::random::Random;
use std::collections::VecDeque;

/// A connection's number.
pub type Link = usize;

/// What travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    Frame(String),
    /// The end of the connection.
    Closed,
}

/// One way of a connection.
#[derive(Debug, Default)]
pub struct Way {
    /// With the time of arrival, which never runs backwards.
    under_way: VecDeque<(u64, Item)>,
    last: u64,
    /// What is sent from here on is lost.
    cut: bool,
    /// Nothing arrives before that.
    frozen: u64,
}

impl Way {
    /// When it arrives; never where the way is cut.
    pub fn send(&mut self, now: u64, takes: u64, item: Item) -> Option<u64> {
        if self.cut {
            return None;
        }
        let at = self.last.max(now + takes);
        self.last = at;
        self.under_way.push_back((at, item));
        Some(at.max(self.frozen))
    }

    /// What has arrived by now.
    pub fn arrived(&mut self, now: u64) -> Option<Item> {
        if self.frozen > now || self.under_way.front()?.0 > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, item)| item)
    }

    /// When to look again, where something is under way.
    pub fn next(&self) -> Option<u64> {
        self.under_way.front().map(|(at, _)| (*at).max(self.frozen))
    }

    pub fn freeze(&mut self, until: u64) {
        self.frozen = self.frozen.max(until);
    }

    /// Cuts it: so many in a hundred of what is under way still arrive, the first ones. How many are lost.
    pub fn cut(&mut self, share: u64) -> usize {
        let stays = (self.under_way.len() as u64 * share).div_ceil(100) as usize;
        let lost = self.under_way.len() - stays;
        self.under_way.truncate(stays);
        self.last = self.under_way.back().map_or(0, |(at, _)| *at);
        self.cut = true;
        lost
    }

    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Tells the receiver that this was all. Nothing can follow.
    pub fn close(&mut self, now: u64, takes: u64) -> u64 {
        let at = self.last.max(now + takes);
        self.last = at;
        self.under_way.push_back((at, Item::Closed));
        self.cut = true;
        at.max(self.frozen)
    }
}

/// A WebSocket connection, and who is at its client's end.
#[derive(Debug)]
pub struct Connection {
    pub page: usize,
    pub generation: u32,
    /// To the server, and from it.
    pub up: Way,
    pub down: Way,
    /// The client still listens to it.
    pub attached: bool,
    /// The server has it.
    pub accepted: bool,
    /// When the last fault touched it.
    pub touched: Option<u64>,
    /// The client authenticates by SASL2, as far as it knows.
    pub sasl2: bool,
}

impl Connection {
    pub fn new(page: usize, generation: u32) -> Connection {
        Connection {
            page,
            generation,
            up: Way::default(),
            down: Way::default(),
            attached: true,
            accepted: false,
            touched: None,
            sasl2: false,
        }
    }
}

/// How long a frame takes.
pub fn takes(random: &mut Random, plan: &crate::plan::NetworkPlan) -> u64 {
    plan.latency + random.below(plan.jitter + 1)
}
