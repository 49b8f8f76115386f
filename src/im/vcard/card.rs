//! A profile, and the two kinds of card that it is read from and written into: vcard-temp (XEP-0054 §3), and vCard4 as RFC 6350 and
//! RFC 6351 (August 2011) have it, with the mapping of XEP-0292 §11.
//!
//! One table says what of a card is in a profile. What isn't stays in the card as it is when a profile is written into it, and so does
//! an element whose value doesn't change, with whatever else it says.

use crate::error::Error;
use crate::given::{Arg, invalid};
use crate::xml::{Element, Node, is_xml_char};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// The namespace of vcard-temp.
pub(in crate::im) const TEMP: &str = "vcard-temp";
/// The namespace of vCard4.
pub(super) const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";

/// How many bytes a text may have, read or written. A longer one that is read is none of the profile's.
const LONGEST: usize = 8 << 10;

/// How many there may be of what there may be several of.
const MOST: usize = 32;

/// The kind of a card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// vCard4.
    New,
    /// vcard-temp.
    Temp,
}

impl Kind {
    fn ns(self) -> &'static str {
        match self {
            Kind::New => VCARD4,
            Kind::Temp => TEMP,
        }
    }

    /// The name of a card.
    pub(super) fn root(self) -> &'static str {
        match self {
            Kind::New => "vcard",
            Kind::Temp => "vCard",
        }
    }

    /// A name in such a card, of one in each.
    fn of(self, (new, temp): (&'static str, &'static str)) -> &'static str {
        match self {
            Kind::New => new,
            Kind::Temp => temp,
        }
    }
}

/// What a profile can have.
#[derive(Debug)]
struct Row {
    /// The name in a profile.
    name: &'static str,
    /// Whether there may be several.
    many: bool,
    /// Whether it is said where it belongs: see [`TYPES`].
    typed: bool,
    /// The element, in each kind of card.
    element: (&'static str, &'static str),
    /// The name in the profile of each part, and its element in each kind of card; in vcard-temp, none where the text stands in the
    /// element itself.
    parts: &'static [(&'static str, (&'static str, &'static str))],
}

const fn row(
    name: &'static str,
    [many, typed]: [bool; 2],
    element: (&'static str, &'static str),
    parts: &'static [(&'static str, (&'static str, &'static str))],
) -> Row {
    Row {
        name,
        many,
        typed,
        element,
        parts,
    }
}

const ROWS: &[Row] = &[
    row("fullName", [false, false], ("fn", "FN"), &[("", ("text", ""))]),
    row(
        "name",
        [false, false],
        ("n", "N"),
        &[
            ("family", ("surname", "FAMILY")),
            ("given", ("given", "GIVEN")),
            ("additional", ("additional", "MIDDLE")),
            ("prefix", ("prefix", "PREFIX")),
            ("suffix", ("suffix", "SUFFIX")),
        ],
    ),
    row("nickname", [false, false], ("nickname", "NICKNAME"), &[("", ("text", ""))]),
    row("birthday", [false, false], ("bday", "BDAY"), &[("", ("date", ""))]),
    row("emails", [true, true], ("email", "EMAIL"), &[("address", ("text", "USERID"))]),
    row("phones", [true, true], (TEL, "TEL"), &[("number", ("uri", "NUMBER"))]),
    row(
        "addresses",
        [true, true],
        ("adr", "ADR"),
        &[
            ("poBox", ("pobox", "POBOX")),
            ("extended", ("ext", "EXTADD")),
            ("street", ("street", "STREET")),
            ("locality", ("locality", "LOCALITY")),
            ("region", ("region", "REGION")),
            ("code", ("code", "PCODE")),
            ("country", ("country", "CTRY")),
        ],
    ),
    row("urls", [true, false], ("url", "URL"), &[("", ("uri", ""))]),
    row("organization", [false, false], ("org", "ORG"), &[("", ("text", "ORGNAME"))]),
    row("title", [false, false], ("title", "TITLE"), &[("", ("text", ""))]),
    row("role", [false, false], ("role", "ROLE"), &[("", ("text", ""))]),
    // XEP-0292 §11.1.1.
    row("note", [false, false], ("note", "DESC"), &[("", ("text", ""))]),
];

/// The phone numbers of vCard4, which are addresses (RFC 3966).
const TEL: &str = "tel";

/// Where an address or number belongs, and what it is for: the words in each kind of card.
const TYPES: [(&str, &str); 8] = [
    ("home", "HOME"),
    ("work", "WORK"),
    ("cell", "CELL"),
    ("voice", "VOICE"),
    ("fax", "FAX"),
    ("pager", "PAGER"),
    ("text", "MSG"),
    ("video", "VIDEO"),
];

/// Something that a profile has.
#[derive(Clone, Debug)]
pub struct Field {
    row: &'static Row,
    parts: Vec<String>,
    /// A bit for each of the [`TYPES`].
    types: u8,
}

impl PartialEq for Field {
    fn eq(&self, other: &Field) -> bool {
        self.is_of(other.row) && self.parts == other.parts && self.types == other.types
    }
}

impl Eq for Field {}

impl Field {
    fn is_of(&self, row: &Row) -> bool {
        self.row.name == row.name
    }

    /// Whether it is one text.
    fn is_plain(row: &Row) -> bool {
        row.parts.len() == 1 && !row.typed
    }

    /// Reads an element of a card. `strictly` it must have its value where we write it.
    fn of(element: &Element, kind: Kind, strictly: bool) -> Option<Field> {
        let name = match (kind, element.name()) {
            // vcard-temp has both, for the same (XEP-0054 §9, `NOTE` and `DESC`).
            (Kind::Temp, "NOTE") => "DESC",
            (_, name) => name,
        };
        let row = ROWS.iter().find(|row| kind.of(row.element) == name)?;
        if element.ns() != kind.ns() {
            return None;
        }
        let one = row.parts.len() == 1;
        let text = |(_, names): &(_, (&'static str, &'static str))| {
            let name = kind.of(*names);
            let text = match element.child_text(name, kind.ns()) {
                Some(text) => text,
                None if name.is_empty() => element.text(),
                None if !one || strictly => String::new(),
                // Another type of value, such as a phone number that is a text; or just the text (XEP-0054 §8 knows of it).
                None => {
                    let mut values = element.children().filter(|child| child.name() != "parameters");
                    let value = values.next().filter(|_| kind == Kind::New);
                    value.unwrap_or(element).text()
                }
            };
            let text = text.trim();
            text.strip_prefix("tel:").filter(|_| row.element.0 == TEL).unwrap_or(text).to_owned()
        };
        let parts: Vec<String> = row.parts.iter().map(text).collect();
        let types = match kind {
            Kind::New => {
                let types = element.child("parameters", VCARD4).and_then(|all| all.child("type", VCARD4));
                types.map_or(0, |types| bits(types, |word, child| child.text().trim().eq_ignore_ascii_case(word.0)))
            }
            Kind::Temp => bits(element, |word, child| child.name() == word.1),
        };
        Field::new(row, parts, types).filter(|field| field.parts.iter().all(|part| part.len() <= LONGEST))
    }

    /// One with nothing in it is none.
    fn new(row: &'static Row, parts: Vec<String>, types: u8) -> Option<Field> {
        let types = if row.typed { types } else { 0 };
        let field = Field { row, parts, types };
        field.parts.iter().any(|part| !part.is_empty()).then_some(field)
    }

    fn given(row: &'static Row, given: &Arg) -> Result<Option<Field>, Error> {
        if Field::is_plain(row) {
            return Ok(Field::new(row, vec![text(given)?], 0));
        }
        let mut parts = Vec::new();
        for (name, _) in row.parts {
            parts.push(given.of(name, text)?);
        }
        let mut types = 0;
        if row.typed {
            let words = TYPES.map(|(word, _)| word);
            for word in given.of("types", Arg::items)? {
                types |= word.opt_word(&words)?.map_or(0, |place| 1 << place);
            }
        }
        Ok(Field::new(row, parts, types))
    }

    fn element(&self, kind: Kind) -> Element {
        let ns = kind.ns();
        let mut element = Element::new(kind.of(self.row.element), ns);
        let words = TYPES.iter().enumerate().filter(|(place, _)| self.types & (1 << place) != 0);
        match kind {
            // RFC 6351, appendix A: parameters come first.
            Kind::New if self.types != 0 => {
                let words = words.map(|(_, (word, _))| Element::new("text", ns).with_text(*word));
                let types = words.fold(Element::new("type", ns), Element::with_child);
                element = element.with_child(Element::new("parameters", ns).with_child(types));
            }
            Kind::New => {}
            Kind::Temp => element = words.fold(element, |element, (_, (_, word))| element.with_child(Element::new(*word, ns))),
        }
        for ((_, names), text) in self.row.parts.iter().zip(&self.parts) {
            let name = kind.of(*names);
            if name.is_empty() {
                element = element.with_text(text.as_str());
            } else if kind == Kind::New && self.row.element.0 == TEL {
                element = element.with_child(Element::new(name, ns).with_text(["tel:", &number(text)].concat()));
            } else if kind == Kind::New || !text.is_empty() {
                // RFC 6351, appendix A: in vCard4 each part is there, also an empty one.
                element = element.with_child(Element::new(name, ns).with_text(text.as_str()));
            }
        }
        element
    }

    /// Whether it says the same as another, apart from where it belongs, and from how a number is written.
    fn is_like(&self, other: &Field) -> bool {
        let written = |field: &Field| match self.row.element.0 {
            TEL => field.parts.iter().map(|part| number(part)).collect(),
            _ => field.parts.clone(),
        };
        self.is_of(other.row) && written(self) == written(other)
    }
}

/// RFC 3966 §3: no spaces, but hyphens.
fn number(text: &str) -> String {
    text.replace(' ', "-")
}

fn bits(element: &Element, is: impl Fn(&(&str, &str), &Element) -> bool) -> u8 {
    let words = TYPES.iter().enumerate().filter(|(_, word)| element.children().any(|child| is(word, child)));
    words.fold(0, |bits, (place, _)| bits | 1 << place)
}

/// A text of the app's; empty where it was left out.
fn text(given: &Arg) -> Result<String, Error> {
    let text = given.opt_text()?.unwrap_or_default();
    if text.len() > LONGEST {
        return Err(given.wrong("a string of 8,192 bytes at most"));
    }
    if !text.chars().all(is_xml_char) {
        return Err(given.wrong("a string without characters that XML can't carry"));
    }
    Ok(text.trim().to_owned())
}

/// Reads what an app has passed.
pub(super) fn given(profile: &Arg) -> Result<Vec<Field>, Error> {
    let mut fields = Vec::new();
    for row in ROWS {
        let given = profile.field(row.name)?;
        if !row.many {
            if let Some(given) = given.given()? {
                fields.extend(Field::given(row, &given)?);
            }
            continue;
        }
        let list = given.items()?;
        if list.len() > MOST {
            return Err(invalid(["`", row.name, "` may have 32 items at most"].concat()));
        }
        for given in list {
            fields.extend(Field::given(row, &given)?);
        }
    }
    Ok(fields)
}

/// What a profile has of a card: of what there is one of, the first.
pub(super) fn read(card: &Element, kind: Kind, strictly: bool) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for field in card.children().filter_map(|child| Field::of(child, kind, strictly)) {
        let most = if field.row.many { MOST } else { 1 };
        if fields.iter().filter(|known| known.is_of(field.row)).count() < most {
            fields.push(field);
        }
    }
    fields
}

/// Whether two profiles say the same, as far as both kinds of card can say it.
pub(super) fn alike(one: &[Field], other: &[Field]) -> bool {
    one.len() == other.len() && one.iter().all(|field| other.iter().any(|other| field.is_like(other)))
}

/// The card with a profile in it: the fields that it had and the profile doesn't have are gone, and all else is as it was.
pub(super) fn merge(card: Option<&Element>, kind: Kind, fields: &[Field]) -> Element {
    let mut merged = Element::new(kind.root(), kind.ns());
    let known: Vec<(&Element, Option<Field>)> = card
        .iter()
        .flat_map(|card| card.children())
        .map(|child| (child, Field::of(child, kind, false)))
        .collect();
    for (name, value) in card.iter().flat_map(|card| card.attrs()) {
        merged.set_attr(name.to_owned(), value);
    }
    let mut done: Vec<&Row> = Vec::new();
    let of_row = |row: &'static Row| fields.iter().filter(move |field| field.is_of(row));
    let put = |merged: &mut Element, field: &Field| {
        let same = known.iter().find(|(_, known)| known.as_ref() == Some(field));
        merged.push(Node::Element(match same {
            Some((element, _)) => (*element).clone(),
            None => field.element(kind),
        }));
    };
    for (element, field) in &known {
        let Some(field) = field else {
            merged.push(Node::Element((*element).clone()));
            continue;
        };
        if !done.iter().any(|row| field.is_of(row)) {
            done.push(field.row);
            of_row(field.row).for_each(|field| put(&mut merged, field));
        } else if !field.row.many && of_row(field.row).any(|wanted| wanted != field) {
            // A second of what a profile has one of, such as a nickname.
            merged.push(Node::Element((*element).clone()));
        }
    }
    for field in fields.iter().filter(|field| !done.iter().any(|row| field.is_of(row))) {
        merged.push(Node::Element(field.element(kind)));
    }
    merged
}

/// What somebody says of themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    pub(super) source: Option<&'static str>,
    pub(super) fields: Vec<Field>,
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Profile", 1 + ROWS.len())?;
        if let Some(source) = self.source {
            object.serialize_field("source", source)?;
        }
        for row in ROWS {
            let fields: Vec<&Field> = self.fields.iter().filter(|field| field.is_of(row)).collect();
            match fields.first() {
                Some(_) if row.many => object.serialize_field(row.name, &fields)?,
                Some(field) => object.serialize_field(row.name, field)?,
                None => {}
            }
        }
        object.end()
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Field::is_plain(self.row) {
            return serializer.serialize_str(&self.parts.concat());
        }
        let mut object = serializer.serialize_struct("Field", 1 + self.parts.len())?;
        for ((name, _), text) in self.row.parts.iter().zip(&self.parts).filter(|(_, text)| !text.is_empty()) {
            object.serialize_field(name, text)?;
        }
        let words = TYPES.iter().enumerate().filter(|(place, _)| self.types & (1 << place) != 0);
        let words: Vec<&str> = words.map(|(_, (word, _))| *word).collect();
        if !words.is_empty() {
            object.serialize_field("types", &words)?;
        }
        object.end()
    }
}
