//! Faults of a client, made between the engine and the world: what the simulation must see.

/// What the client does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// It doesn't hear an acknowledgement.
    AckDropped,
    /// It hears one for a stanza more than the server has handled.
    AckForged,
    /// It counts a stanza that came in twice.
    CountedTwice,
    /// It doesn't count a stanza that came in.
    NotCounted,
    /// Its count stops at the last number, and doesn't begin anew behind it.
    Saturated,
    /// It sends two messages in the wrong order.
    SwappedOut,
    /// It takes two messages in the wrong order.
    SwappedIn,
    /// It sends a message twice.
    DoubledOut,
    /// It hands a message to the app twice.
    DoubledIn,
    /// A message never leaves.
    DroppedOut,
    /// The app never sees a message.
    DroppedIn,
    /// `send` resolves at once.
    SettledEarly,
    /// A call's promise never settles.
    NeverSettled,
    /// A promise settles twice.
    SettledTwice,
    /// What the page hands to the store at its end gets lost.
    StoreForgets,
    /// It hears that a session that was resumed along with the login has handled a stanza more, or less, than it has.
    ResumedForged,
    ResumedStale,
    /// The same of one that is gone.
    FailedForged,
    /// A tab logs in as another one, or by the token of another one.
    AgentSwapped,
    TokenSwapped,
    /// It doesn't wait for the end of the authentication.
    SentEarly,
    /// A logout doesn't say that the token is to be worthless.
    TokenLeft,
    /// The app isn't told of a gap.
    GapDropped,
}

impl Mutation {
    pub const ALL: [Mutation; 23] = [
        Mutation::AckDropped,
        Mutation::AckForged,
        Mutation::CountedTwice,
        Mutation::NotCounted,
        Mutation::Saturated,
        Mutation::SwappedOut,
        Mutation::SwappedIn,
        Mutation::DoubledOut,
        Mutation::DoubledIn,
        Mutation::DroppedOut,
        Mutation::DroppedIn,
        Mutation::SettledEarly,
        Mutation::NeverSettled,
        Mutation::SettledTwice,
        Mutation::StoreForgets,
        Mutation::ResumedForged,
        Mutation::ResumedStale,
        Mutation::FailedForged,
        Mutation::AgentSwapped,
        Mutation::TokenSwapped,
        Mutation::SentEarly,
        Mutation::TokenLeft,
        Mutation::GapDropped,
    ];

    pub fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(c.to_lowercase());
        }
        name
    }

    pub fn from_name(name: &str) -> Option<Mutation> {
        Mutation::ALL.into_iter().find(|mutation| mutation.name() == name)
    }
}

/// A client that does something wrong once in a while: each third time that it could.
#[derive(Debug, Default)]
pub struct Mutated {
    occasions: u32,
    held: Option<String>,
    /// What it said last that it had counted.
    counted: u32,
}

impl Mutated {
    pub fn happens(&mut self) -> bool {
        self.occasions += 1;
        self.occasions % 3 == 2
    }

    /// What leaves in place of this frame.
    pub fn up(&mut self, mutation: Mutation, frame: String) -> Vec<String> {
        let message = frame.contains("<body>[a");
        let login = frame.starts_with("<authenticate ");
        match mutation {
            Mutation::SwappedOut if message => self.swap(frame),
            Mutation::DoubledOut if message && self.happens() => vec![frame.clone(), frame],
            Mutation::DroppedOut if message && self.happens() => Vec::new(),
            Mutation::CountedTwice if frame.contains(" h=") && self.happens() => vec![recounted(&frame, 1)],
            Mutation::SentEarly if login && self.happens() => vec![frame, "<presence xmlns='jabber:client'/>".into()],
            Mutation::TokenLeft if login && frame.contains(" invalidate=") => Vec::new(),
            Mutation::NotCounted if frame.contains(" h=") && self.happens() => vec![recounted(&frame, -1)],
            Mutation::Saturated => vec![self.saturated(frame)],
            _ => vec![frame],
        }
    }

    /// What comes in in place of this frame.
    pub fn down(&mut self, mutation: Mutation, frame: String) -> Vec<String> {
        let message = frame.contains("<body>[b");
        let ack = frame.starts_with("<a ");
        let along = |word: &str| frame.starts_with("<success ") && frame.contains(word);
        match mutation {
            Mutation::SwappedIn if message => self.swap(frame),
            Mutation::DoubledIn if message && self.happens() => vec![frame.clone(), frame],
            Mutation::DroppedIn if message && self.happens() => Vec::new(),
            Mutation::ResumedForged if along("<resumed ") => vec![recounted(&frame, 1)],
            Mutation::ResumedStale if along("<resumed ") => vec![recounted(&frame, -1)],
            Mutation::FailedForged if along("<failed ") => vec![recounted(&frame, 1)],
            Mutation::AckDropped if ack && self.happens() => Vec::new(),
            Mutation::AckForged if ack && self.happens() => vec![recounted(&frame, 1)],
            _ => vec![frame],
        }
    }

    fn saturated(&mut self, frame: String) -> String {
        let Some(h) = counted(&frame) else { return frame };
        let before = std::mem::replace(&mut self.counted, h);
        if before > u32::MAX / 2 && h < u32::MAX / 2 {
            self.counted = u32::MAX;
            return recounted(&frame, -1 - i64::from(h));
        }
        frame
    }

    fn swap(&mut self, frame: String) -> Vec<String> {
        match self.held.take() {
            Some(held) => vec![frame, held],
            None if self.happens() => {
                self.held = Some(frame);
                Vec::new()
            }
            None => vec![frame],
        }
    }
}

/// The `h` of a frame.
fn counted(frame: &str) -> Option<u32> {
    let (_, rest) = frame.split_once(" h=")?;
    rest.split(&rest[..1]).nth(1)?.parse().ok()
}

/// The frame with another `h`, modulo 2³².
fn recounted(frame: &str, by: i64) -> String {
    let Some((before, rest)) = frame.split_once(" h=") else {
        return frame.into();
    };
    let quote = &rest[..1];
    let Some((h, after)) = rest[1..].split_once(quote) else {
        return frame.into();
    };
    let h = h.parse::<i64>().map_or(0, |h| (h + by).rem_euclid(1 << 32));
    format!("{before} h={quote}{h}{quote}{after}")
}
