//! Random walks: a server that mostly does as it should, a network that mostly holds, and an app that does as it likes.

use crate::pair::{JID, Pair, config, password};
use crate::server::{Fault, Scram};
use stanzawire::engine::{Command, Input, Ticket};
use stanzawire::session::{CredentialSource, Status};
use stanzawire::xml::{self, Element};

struct Walk {
    seed: u64,
    pair: Pair,
    scram: Scram,
    /// Frames that the server hasn't sent yet.
    answers: Vec<String>,
    authenticated: bool,
    prosody: bool,
    impostor: bool,
    calls: Vec<Ticket>,
    log: Vec<String>,
    generation: u32,
    proved: bool,
}

impl Walk {
    fn below(&mut self, n: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % n
    }

    fn read(&mut self) {
        if let Some((generation, _)) = &self.pair.socket
            && *generation != self.generation
        {
            self.generation = *generation;
            self.authenticated = false;
            self.proved = false;
            self.answers.clear();
        }
        let frames: Vec<String> = self.pair.sent.drain(..).collect();
        for frame in frames {
            self.log.push(format!("> {frame}"));
            let element = xml::read(&frame, &xml::Limits::default()).unwrap();
            if self.pair.engine.status() != Status::Online && !self.proved {
                assert!(!frame.contains("secret plans"), "{:#?}", self.log);
            }
            let answers = self.answer(&element);
            self.answers.extend(answers);
        }
    }

    fn answer(&mut self, element: &Element) -> Vec<String> {
        let id = element.attr("id").unwrap_or("");
        let fault = if self.impostor {
            Fault::WrongSignature
        } else {
            Fault::None
        };
        match element.name() {
            "open" => {
                let features = if self.authenticated {
                    let caps = if self.prosody {
                        "<c xmlns='http://jabber.org/protocol/caps' node='http://prosody.im'/>"
                    } else {
                        ""
                    };
                    format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>{caps}")
                } else {
                    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>".into()
                };
                vec![
                    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>"
                        .into(),
                    format!(
                        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
                    ),
                ]
            }
            "auth" => {
                self.scram = Scram::new("secret");
                vec![self.scram.challenge(&element.text(), &fault)]
            }
            "response" => {
                self.authenticated = true;
                vec![self.scram.success(&element.text(), &fault)]
            }
            "iq" if element.child("bind", "urn:ietf:params:xml:ns:xmpp-bind").is_some() => vec![format!(
                "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{JID}</jid></bind></iq>"
            )],
            "iq" if matches!(element.attr("type"), Some("get" | "set")) => {
                let from = element.attr("to").map(|to| format!(" from='{to}'")).unwrap_or_default();
                let payload = if element.child("query", "jabber:iq:roster").is_some() {
                    "<query xmlns='jabber:iq:roster'/>"
                } else {
                    ""
                };
                vec![format!(
                    "<iq xmlns='jabber:client' type='result' id='{id}'{from}>{payload}</iq>"
                )]
            }
            "close" => vec!["<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".into()],
            _ => Vec::new(),
        }
    }

    fn step(&mut self) {
        self.read();
        let open = self.pair.socket.is_some();
        match self.below(40) {
            0..=17 if open && !self.answers.is_empty() => {
                let answer = self.answers.remove(0);
                self.proved |= answer.contains("<success") && !self.impostor;
                self.log.push(format!("< {answer}"));
                self.pair.receive(&answer);
            }
            0..=5 if open => {
                self.log.push("open".into());
                self.pair.open_socket();
            }
            18..=19 => {
                let ms = [1, 10, 100, 3_000, 9_000, 31_000][self.below(6) as usize];
                self.log.push(format!("advance {ms}"));
                self.pair.advance(ms);
            }
            20..=21 => self.pair.derive_key(),
            22 if open => {
                self.log.push("cut".into());
                self.pair.close_socket();
            }
            23 => {
                self.log.push("send".into());
                let call = self.pair.send("bob@example.org", "secret plans");
                self.calls.push(call);
            }
            24 => {
                let call = self.pair.iq(Some("bob@example.org"));
                self.calls.push(call);
            }
            25 => {
                let call = self.pair.roster();
                self.calls.push(call);
            }
            26..=28 => {
                self.log.push("connect".into());
                let call = self.pair.connect();
                self.calls.push(call);
            }
            29 if self.below(3) == 0 => {
                self.log.push("disconnect".into());
                let call = self.pair.call(Command::Disconnect);
                self.calls.push(call);
            }
            30 if !self.calls.is_empty() => {
                let place = self.below(self.calls.len() as u64) as usize;
                let call = self.calls[place];
                self.log.push(format!("abort {call:?}"));
                self.pair.abort(call);
            }
            31 if open => {
                let strange = [
                    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/'/>",
                    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://example.org/ws'/>",
                    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
                    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
                    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><malformed-request/></failure>",
                    "<iq xmlns='jabber:client' type='get' id='x' from='eve@example.org/x'><ping xmlns='urn:xmpp:ping'/></iq>",
                ][self.below(7) as usize];
                self.log.push(format!("< {strange}"));
                self.pair.receive(strange);
            }
            32 => self.impostor = self.below(5) == 0,
            33 => {
                if let Some(id) = self.pair.asked.take() {
                    let CredentialSource::Fixed(secret) = password("secret") else {
                        unreachable!()
                    };
                    self.log.push("credentials".into());
                    self.pair.handle(Input::Credentials {
                        id,
                        outcome: Ok(secret),
                    });
                }
            }
            34 => {
                if let Some((id, _)) = self.pair.load.take() {
                    self.pair.handle(Input::Loaded { id, value: None });
                }
            }
            35 => self.prosody = self.below(2) == 0,
            _ => {}
        }
        for (call, replies) in &self.pair.replies {
            assert_eq!(replies.len(), 1, "{call}: {:#?}", self.log);
        }
        if self.pair.engine.status() == Status::Offline && self.pair.socket.is_none() && self.pair.load.is_none() {
            assert_eq!(self.pair.engine.next_deadline(), None, "{:#?}", self.log);
        }
    }
}

#[test]
fn whatever_happens_each_call_ends_once_and_nothing_is_said_to_a_stranger() {
    let mut online = 0;
    for seed in 1..150_u64 {
        let mut config = config();
        if seed % 3 == 0 {
            config.session.credentials = CredentialSource::Ask;
        }
        config.session.storage = seed % 5 == 0;
        let mut walk = Walk {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            pair: Pair::new(config),
            scram: Scram::new("secret"),
            answers: Vec::new(),
            authenticated: false,
            prosody: seed % 2 == 0,
            impostor: false,
            calls: Vec::new(),
            log: Vec::new(),
            generation: 0,
            proved: false,
        };
        for _ in 0..400 {
            walk.step();
        }
        walk.read();
        online += walk
            .pair
            .statuses()
            .iter()
            .filter(|status| **status == Status::Online)
            .count();
        let end = walk.pair.call(Command::Disconnect);
        walk.pair.advance(100_000);
        assert!(!walk.pair.is_open(end), "{:#?}", walk.log);
        for call in &walk.calls {
            assert!(!walk.pair.is_open(*call), "{call:?}: {:#?}", walk.log);
        }
        assert_eq!(
            (walk.pair.engine.next_deadline(), walk.pair.engine.status()),
            (None, Status::Offline),
            "{:#?}",
            walk.log
        );
    }
    assert!(online > 100, "the walks lead nowhere: {online}");
}
