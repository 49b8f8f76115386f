//! How a script of operations, one a line, is changed into another one: by lines. The bytes of one line alone are libFuzzer's
//! to change, as it does with any input.

use libfuzzer_sys::fuzzer_mutate;

const OPEN: &str = "f<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='s' version='1.0'/>";
const MECHANISMS: &str = "f<features xmlns='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms></features>";
const BIND: &str =
    "f<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></features>";
const SESSION: &str = "f<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></features>";
const PROSODY: &str = "f<features xmlns='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><c xmlns='http://jabber.org/protocol/caps' node='http://prosody.im'/></features>";
const CHALLENGE: &str = "f<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1BQUE9</challenge>";
const SUCCESS: &str = "f<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const UNPROVED: &str = "f<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>";
const PROVED: &str = "f<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dj1BQUE9</success>";
const FAILURE: &str = "f<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
const BOUND: &str = "f<iq xmlns='jabber:client' type='result' id='$i'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.org/a</jid></bind></iq>";
const RESULT: &str = "f<iq xmlns='jabber:client' type='result' id='$i'/>";
const REFUSED: &str = "f<iq xmlns='jabber:client' type='error' id='$i'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";

/// Lines worth putting anywhere: what a server says in a login and behind it, and what else can happen.
const LINES: [&str; 61] = [
    "l",
    "L",
    "m",
    "q",
    "r",
    "p",
    "P",
    "e",
    "x",
    "o",
    "s",
    "S",
    "D",
    "Dx",
    "K",
    "w",
    "w!",
    "A",
    "A!",
    "c",
    "c------",
    "b",
    "n",
    "n!",
    "t-------",
    "t-------------",
    "t--------------",
    "t----------------",
    "T---------------",
    "ya",
    OPEN,
    "f<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    "f<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example.org/'/>",
    MECHANISMS,
    BIND,
    SESSION,
    PROSODY,
    "f<features xmlns='http://etherx.jabber.org/streams'/>",
    CHALLENGE,
    "f<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    SUCCESS,
    UNPROVED,
    PROVED,
    FAILURE,
    "f<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>",
    BOUND,
    RESULT,
    REFUSED,
    "f<iq xmlns='jabber:client' type='get' id='g' from='bob@example.org/b'><question xmlns='urn:example'/></iq>",
    "f<message xmlns='jabber:client' from='bob@example.org/b' to='$j' id='m'><body>b</body></message>",
    "f<presence xmlns='jabber:client' from='bob@example.org/b'/>",
    "f<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    "f<error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
    "F<message xmlns='jabber:client'/>",
    "a",
    "ax",
    "a--",
    "gx",
    "vbob@example.org",
    "f<message xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' queryid='$q' id='x'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='bob@example.org/b'><body>b</body></message></forwarded></result></message>",
    "f<iq xmlns='jabber:client' type='result' id='$i'><fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><first>x</first><last>y</last></set></fin></iq>",
];

/// A login, step by step: as it goes at the honest server, and what a hostile one could say in its place.
const LOGIN: [(&str, &[&str]); 10] = [
    ("l", &["l"]),
    ("K", &["K", "k1 pinned pipelining SCRAM-SHA-256 wss://example.org/ws"]),
    ("o", &["o"]),
    ("S", &[OPEN]),
    ("A", &[MECHANISMS]),
    ("D", &["D", CHALLENGE]),
    ("S", &[SUCCESS, UNPROVED, PROVED, FAILURE]),
    ("S", &[OPEN]),
    ("S", &[BIND, SESSION, PROSODY]),
    ("S", &[BOUND, RESULT, REFUSED]),
];

/// How two logins of a client may be parted.
const BETWEEN: [&[&str]; 3] = [
    &["L", "S"],
    &["c------", "t---------------"],
    &["m", "c", "t---------------"],
];

/// Changes the script in `data`, `size` bytes of it, and says how long the new one is.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed);
    match random.below(8) {
        0 | 1 => fuzzer_mutate(data, size, max_size),
        2 => put(data, max_size, &login(&mut random)),
        _ => by_lines(data, size, max_size, &mut random),
    }
}

/// A login, perhaps at a server that is known already. From some step on the server is hostile; and a few things go wrong.
fn login(random: &mut Random) -> Vec<Vec<u8>> {
    let mut options = ["", "r", "s", "o", "a", "d", "ef", "u"][random.below(8)].to_owned();
    let mut lines = Vec::new();
    if random.below(2) == 0 {
        options.push('l');
        lines.extend_from_slice(BETWEEN[random.below(BETWEEN.len())]);
    }
    let honest = random.below(LOGIN.len() + 1);
    for (step, (as_it_should, instead)) in LOGIN.into_iter().enumerate() {
        match random.below(16) {
            0 => {}
            1 => lines.push(LINES[random.below(LINES.len())]),
            _ if step < honest => lines.push(as_it_should),
            _ => lines.push(instead[random.below(instead.len())]),
        }
    }
    lines.push(["m", "q", "P", "e", "L", "S"][random.below(6)]);
    lines.insert(0, &options);
    lines.into_iter().map(|line| line.as_bytes().to_vec()).collect()
}

fn put(data: &mut [u8], max_size: usize, lines: &[Vec<u8>]) -> usize {
    let script = lines.join(&b'\n');
    let length = script.len().min(max_size);
    data[..length].copy_from_slice(&script[..length]);
    length
}

fn by_lines(data: &mut [u8], size: usize, max_size: usize, random: &mut Random) -> usize {
    let mut lines: Vec<Vec<u8>> = data[..size].split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=random.below(3) {
        let at = random.below(lines.len());
        match random.below(8) {
            0..=2 => lines.insert(at + 1, random.line()),
            3 => lines[at] = random.line(),
            4 if lines.len() > 1 => drop(lines.remove(at)),
            5 => lines.insert(at, lines[random.below(lines.len())].clone()),
            6 => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
            _ => {
                let line = &mut lines[at];
                let length = line.len();
                line.resize(length + 64, 0);
                let length = fuzzer_mutate(line, length, length + 64);
                line.truncate(length);
            }
        }
    }
    put(data, max_size, &lines)
}

/// Good enough to choose by (Marsaglia's xorshift).
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        let mut state = self.0 | 1;
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        self.0 = state;
        // The high bits are the better ones.
        (state >> 8) as usize % bound
    }

    fn line(&mut self) -> Vec<u8> {
        LINES[self.below(LINES.len())].into()
    }
}
