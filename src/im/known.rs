//! Whose message an id names, as far as that is remembered: the last [`MOST`] messages, sent or told of.
//!
//! A correction (XEP-0308 §4) and a retraction (XEP-0424 §5) are their sender's, and name a message of that sender's. An app that
//! looks up the id alone would let anybody change what somebody else has said. So where the id is known to be somebody else's,
//! in that conversation, the correction is an ordinary message and the retraction is nothing. An id belongs to whom it
//! was seen of first: to take it for one's own later changes nothing.
//!
//! A receipt (XEP-0184 §7) and a marker (XEP-0333 §4.2) are for who has sent the message, from whom it was sent to.

use super::Message;
use super::chat::{MessageType, SentMessage};
use crate::jid::Jid;

/// How many messages are remembered.
const MOST: usize = 1_000;

/// How long an id and an address may be, in bytes. Longer ones aren't remembered.
const LONGEST: [usize; 2] = [512, 3_100];

/// Whose message an id names.
#[derive(Debug, Default)]
pub struct Known {
    /// The oldest first.
    messages: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The bare JID of the other side, or of the room.
    conversation: String,
    /// The bare JID; of an occupant of a room the full one, or more than that (see [`Message::author`]).
    sender: String,
    ids: Vec<String>,
}

/// In which conversation a message stands, and who has sent it.
struct Whose {
    conversation: String,
    sender: String,
    own: bool,
    /// It is the room that speaks, and may speak of anybody's messages (XEP-0425).
    room: bool,
}

impl Known {
    /// Takes out of a message what isn't for its sender to say; whether there is anything left to be told.
    pub(super) fn check(&self, message: &mut Message, account: &Jid) -> bool {
        let whose = Whose::of(message, account);
        let foreign = |id: &str| {
            let owner = self.owner(&whose.conversation, id);
            !whose.room && owner.is_some_and(|owner| owner != whose.sender)
        };
        // XEP-0424 §5. The text that stands in for it is no more wanted.
        if message.retracts.as_ref().is_some_and(|retracts| foreign(&retracts.0)) {
            return false;
        }
        // XEP-0308 §4.
        message.replaces.take_if(|replaces| foreign(&replaces.0));
        if message.kind != MessageType::Groupchat {
            let elsewhere = |id: Option<&str>| id.is_some_and(|id| self.is_elsewhere(&whose, account, id));
            message.receipt.take_if(|receipt| elsewhere(receipt.id()));
            message.marker.take_if(|marker| elsewhere(marker.id.as_deref()));
        }
        true
    }

    /// Remembers a message that came in, or is told of.
    pub(super) fn note(&mut self, message: &Message, account: &Jid) {
        // An error has the id of what it answers.
        if message.kind != MessageType::Error {
            let room = message
                .stanza_id
                .as_ref()
                .filter(|_| message.kind == MessageType::Groupchat);
            self.push(
                Whose::of(message, account),
                [&message.id, &message.origin_id, &room.cloned()],
            );
        }
    }

    /// Remembers a message that is sent. What is said in a room comes back, and is known then.
    pub(super) fn note_sent(&mut self, sent: &SentMessage, to: &Jid, account: &Jid) {
        if sent.kind != MessageType::Groupchat {
            let whose = Whose {
                conversation: to.bare_str().to_owned(),
                sender: account.bare_str().to_owned(),
                own: true,
                room: false,
            };
            self.push(whose, [&Some(sent.id.clone()), &None, &None]);
        }
    }

    fn push(&mut self, whose: Whose, ids: [&Option<String>; 3]) {
        let mut new: Vec<String> = Vec::new();
        for id in ids.into_iter().flatten() {
            let fits = !id.is_empty() && id.len() <= LONGEST[0] && !new.contains(id);
            if fits && self.owner(&whose.conversation, id).is_none() {
                new.push(id.clone());
            }
        }
        if new.is_empty() || whose.conversation.len().max(whose.sender.len()) > LONGEST[1] {
            return;
        }
        if self.messages.len() >= MOST {
            self.messages.remove(0);
        }
        self.messages.push(Entry {
            conversation: whose.conversation,
            sender: whose.sender,
            ids: new,
        });
    }

    /// Who has sent the message of that id.
    fn owner(&self, conversation: &str, id: &str) -> Option<&str> {
        let mut entries = self.messages.iter().filter(|entry| entry.conversation == conversation);
        let entry = entries.find(|entry| entry.has(id))?;
        Some(&entry.sender)
    }

    /// Whether the account has sent the message of that id, and to others alone.
    fn is_elsewhere(&self, whose: &Whose, account: &Jid, id: &str) -> bool {
        // What another client of the account has said of others' messages is none of theirs.
        if whose.own {
            return false;
        }
        let of_ours = |entry: &&Entry| entry.sender == account.bare_str() && entry.has(id);
        let mut ours = self.messages.iter().filter(of_ours).peekable();
        ours.peek().is_some() && !ours.any(|entry| entry.conversation == whose.conversation)
    }
}

impl Entry {
    fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|known| known == id)
    }
}

impl Whose {
    fn of(message: &Message, account: &Jid) -> Whose {
        let [from, to] = [&message.from, &message.to].map(|jid| prepared(jid));
        let own = bare(&from) == account.bare_str();
        let occupant = message.kind == MessageType::Groupchat || message.occupant.is_some();
        Whose {
            conversation: bare(if own { &to } else { &from }).to_owned(),
            // In rooms and between their occupants the full JIDs must match (XEP-0308 §4, note 1; XEP-0424 §5).
            sender: match &message.author {
                Some(author) if !own => author.clone(),
                _ if occupant && !own => from.clone(),
                _ => bare(&from).to_owned(),
            },
            own,
            room: message.kind == MessageType::Groupchat && !from.contains('/'),
        }
    }
}

/// Takes out of a part of an archive, the oldest message first, what isn't for its senders to say.
pub(super) fn sift(messages: &mut Vec<(String, Box<Message>)>, account: &Jid) {
    let mut known = Known::default();
    messages.retain_mut(|(_, message)| {
        let told = known.check(message, account) && message.event().is_some();
        if told {
            known.note(message, account);
        }
        told
    });
}

/// Servers may know addresses that RFC 7622 no longer allows: they are taken as they are.
fn prepared(jid: &str) -> String {
    Jid::parse(jid).map_or_else(|_| jid.to_owned(), |jid| jid.as_str().to_owned())
}

fn bare(jid: &str) -> &str {
    jid.split('/').next().unwrap_or_default()
}
