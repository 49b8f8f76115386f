//! What the app does in the target `engine`: its calls, an operation a letter.

use super::{BODY, Run};
use stanzawire::engine::{Command, IqRequest, Ticket};
use stanzawire::im::{self, archive, chat, disco, displayed, history, ping, presence, pubsub, roster};
use stanzawire::jid::Jid;
use stanzawire::xml::Element;

impl Run {
    /// Calls what this letter stands for, if anything.
    pub(super) fn say(&mut self, operation: char, text: &str) {
        match operation {
            'l' => drop(self.call(Command::Connect {
                timeout: (!text.is_empty()).then(|| 1 << text.len().min(20)),
            })),
            'L' => drop(self.call(Command::Disconnect)),
            'm' => drop(self.im(im::Command::Chat(chat::Command::Send(Box::new(
                chat::OutgoingMessage {
                    to: if text.is_empty() { "bob@example.org" } else { text }.into(),
                    body: Some(BODY.into()),
                    ..Default::default()
                },
            ))))),
            'r' => drop(self.im(im::Command::Roster(roster::Command::Get))),
            'p' => drop(self.im(im::Command::Ping(ping::Command::Ping(Jid::parse(text).ok())))),
            'P' => drop(
                self.im(im::Command::Presence(presence::Command::Set(presence::PresenceInit {
                    status: Some([BODY, text].concat()),
                    ..Default::default()
                }))),
            ),
            'd' | 'i' => {
                let (jid, node) = (Jid::parse(text).ok(), text.to_owned());
                let question = disco::Question::Info(None);
                let items = pubsub::Action::Items {
                    ids: Vec::new(),
                    max: None,
                    after: None,
                };
                self.im(match operation {
                    'd' => im::Command::Disco(disco::Command { jid, question }),
                    _ => im::Command::Pubsub(pubsub::Command {
                        to: None,
                        node,
                        action: items,
                    }),
                });
            }
            'a' => {
                let query = history::Query {
                    after: (!text.is_empty()).then(|| text.to_owned()),
                    before: text.contains('-').then(|| text.to_owned()),
                    newest: text.len() % 2 == 1,
                    page: 3,
                    ..Default::default()
                };
                self.im(im::Command::History(history::Command::Query(Box::new(query), None)));
            }
            'g' => {
                let gap = archive::Gap {
                    after: (!text.is_empty()).then(|| text.to_owned()),
                    ..Default::default()
                };
                self.im(im::Command::Archive(archive::Command::Fill(gap, None)));
            }
            'v' => drop(self.im(im::Command::Displayed(match Jid::parse(text) {
                Ok(with) => displayed::Command::Set(with, text.to_owned(), None),
                Err(_) => displayed::Command::Get,
            }))),
            'q' => drop(self.call(Command::Iq {
                request: IqRequest {
                    set: true,
                    to: Jid::parse(text).ok(),
                    payload: Element::new("question", "urn:example").with_text(BODY).with_text(text),
                },
                timeout: (text.len() % 2 == 1).then_some(5_000),
            })),
            'e' => drop(self.call(Command::SendElement(
                Element::new("message", "jabber:client").with_text(BODY).with_text(text),
            ))),
            'y' => {
                if let Some(request) = self.requests.pop_front() {
                    let payload = Element::new("answer", "urn:example").with_text(text);
                    let outcome = if text.is_empty() {
                        Err("item-not-found")
                    } else {
                        Ok(Some(payload))
                    };
                    self.call(Command::Answer { request, outcome });
                }
            }
            'x' => {
                let ticket = Ticket(self.calls.saturating_sub(text.len() as u64));
                self.engine.abort(self.now, ticket);
                self.drain();
            }
            _ => {}
        }
    }
}
