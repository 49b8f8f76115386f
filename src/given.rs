//! What an app passes to a call: looked at as it is asked for, each field once, and checked.
//!
//! Where the values are is the edge's matter: it implements [`Given`] for those of JavaScript, and so can any other edge, or a
//! test. What can't be used is `invalid-argument` (`invalid-jid` for an address), and the error names the field.

use crate::decimal::decimal;
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::xml::{Element, MAX_DEPTH, Namespace, Node};
use std::borrow::Cow;

/// A value of the app's.
pub trait Given {
    /// What it is. Errors call it `what`.
    ///
    /// # Errors
    /// `invalid-argument` where it can't be read: a getter that throws, half of a surrogate pair, a date that is none.
    fn look(&self, what: &str) -> Result<Look, Error>;

    /// A field of an object; [`Look::Absent`] where it has none of that name.
    ///
    /// # Errors
    /// `invalid-argument` where a getter throws.
    fn field(&self, name: &str) -> Result<Box<dyn Given>, Error>;

    /// All fields of an object that are its own, in their order.
    ///
    /// # Errors
    /// As [`Given::field`].
    fn entries(&self, what: &str) -> Result<Entries, Error>;
}

/// Fields of an object, by name.
pub type Entries = Vec<(String, Box<dyn Given>)>;

/// What a value of the app's is.
pub enum Look {
    /// Nothing: `null` is the same as a field that isn't there.
    Absent,
    /// A truth value.
    Flag(bool),
    /// A number; it may be infinite.
    Number(f64),
    /// A string that can be encoded.
    Text(String),
    /// A point in time, as XEP-0082 writes it, in UTC.
    Date(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An array.
    List(Vec<Box<dyn Given>>),
    /// Anything else.
    Object,
}

/// The arguments of a call, in their order.
pub struct Args(pub Vec<Box<dyn Given>>);

impl Args {
    /// The argument at that place, which errors call `name`.
    pub fn take(&mut self, place: usize, name: &'static str) -> Arg {
        let absent: Box<dyn Given> = Box::new(Nothing);
        let given = self.0.get_mut(place).map(|given| core::mem::replace(given, absent));
        Arg {
            given: given.unwrap_or_else(|| Box::new(Nothing)),
            name: name.into(),
        }
    }

    /// What the argument at that place is read as by `read`.
    ///
    /// # Errors
    /// Those of `read`.
    #[inline(never)]
    pub fn of<T>(&mut self, place: usize, name: &'static str, read: fn(&Arg) -> Result<T, Error>) -> Result<T, Error> {
        read(&self.take(place, name))
    }
}

/// An argument, or a field of one.
pub struct Arg {
    given: Box<dyn Given>,
    name: Cow<'static, str>,
}

impl Arg {
    /// A value that errors call `name`.
    pub fn new(given: Box<dyn Given>, name: &'static str) -> Arg {
        let name = name.into();
        Arg { given, name }
    }

    /// A field of the object.
    ///
    /// # Errors
    /// `invalid-argument` where it is no object, or its getter throws.
    pub fn field(&self, name: &'static str) -> Result<Arg, Error> {
        match self.given.look(&self.name)? {
            Look::Object | Look::List(_) => Ok(Arg::new(self.given.field(name)?, name)),
            _ => Err(self.wrong("an object")),
        }
    }

    /// The same of an object that may be left out.
    ///
    /// # Errors
    /// As [`Arg::field`].
    pub fn opt_field(&self, name: &'static str) -> Result<Arg, Error> {
        if self.is_absent()? {
            return Ok(Arg::new(Box::new(Nothing), name));
        }
        self.field(name)
    }

    /// What a field of the object is read as by `read`.
    ///
    /// # Errors
    /// As [`Arg::field`], and those of `read`.
    #[inline(never)]
    pub fn of<T>(&self, name: &'static str, read: fn(&Arg) -> Result<T, Error>) -> Result<T, Error> {
        read(&self.field(name)?)
    }

    /// The same of an object that may be left out.
    ///
    /// # Errors
    /// As [`Arg::of`].
    #[inline(never)]
    pub fn opt_of<T>(&self, name: &'static str, read: fn(&Arg) -> Result<T, Error>) -> Result<T, Error> {
        read(&self.opt_field(name)?)
    }

    /// The text in a field of the object, if there is anything.
    ///
    /// # Errors
    /// As [`Arg::of`].
    pub fn text_of(&self, name: &'static str) -> Result<Option<String>, Error> {
        self.of(name, Arg::opt_text)
    }

    /// The address in a field of an object that may be left out, if there is anything.
    ///
    /// # Errors
    /// As [`Arg::field`] and [`Arg::jid`].
    pub fn jid_of(&self, name: &'static str) -> Result<Option<Jid>, Error> {
        self.opt_of(name, Arg::opt_jid)
    }

    /// Whether the app left it out.
    ///
    /// # Errors
    /// `invalid-argument` where it can't be read.
    pub fn is_absent(&self) -> Result<bool, Error> {
        Ok(matches!(self.given.look(&self.name)?, Look::Absent))
    }

    /// It, where the app didn't leave it out.
    ///
    /// # Errors
    /// As [`Arg::is_absent`].
    pub fn given(self) -> Result<Option<Arg>, Error> {
        Ok(if self.is_absent()? { None } else { Some(self) })
    }

    /// What it is, for arguments that may be one of several things.
    ///
    /// # Errors
    /// As [`Arg::is_absent`].
    pub fn look(&self) -> Result<Look, Error> {
        self.given.look(&self.name)
    }

    /// A text.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn text(&self) -> Result<String, Error> {
        self.opt_text()?.ok_or_else(|| self.wrong("a string"))
    }

    /// A text, if there is anything.
    ///
    /// # Errors
    /// As [`Arg::text`].
    pub fn opt_text(&self) -> Result<Option<String>, Error> {
        match self.look()? {
            Look::Absent => Ok(None),
            Look::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong("a string")),
        }
    }

    /// One of these words, if there is anything; its place among them.
    ///
    /// # Errors
    /// `invalid-argument` for another word.
    pub fn opt_word(&self, words: &[&str]) -> Result<Option<usize>, Error> {
        let Some(text) = self.opt_text()? else { return Ok(None) };
        let place = words.iter().position(|word| *word == text);
        place
            .map(Some)
            .ok_or_else(|| self.wrong(&["one of ", &words.join(", ")].concat()))
    }

    /// A truth value, if there is anything.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn opt_flag(&self) -> Result<Option<bool>, Error> {
        match self.look()? {
            Look::Absent => Ok(None),
            Look::Flag(flag) => Ok(Some(flag)),
            _ => Err(self.wrong("a boolean")),
        }
    }

    /// A whole number between these two, if there is anything.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn opt_whole(&self, least: i64, most: i64) -> Result<Option<i64>, Error> {
        match self.look()? {
            Look::Absent => Ok(None),
            // The conversion saturates.
            Look::Number(number) if number as i64 as f64 == number && (least..=most).contains(&(number as i64)) => {
                Ok(Some(number as i64))
            }
            _ => {
                let range = ["a whole number from ", &decimal(least), " to ", &decimal(most)];
                Err(self.wrong(&range.concat()))
            }
        }
    }

    /// A point in time, as XEP-0082 writes it, if there is anything.
    ///
    /// # Errors
    /// `invalid-argument` for anything but a date.
    pub fn opt_date(&self) -> Result<Option<String>, Error> {
        match self.look()? {
            Look::Absent => Ok(None),
            Look::Date(date) => Ok(Some(date)),
            _ => Err(self.wrong("a Date")),
        }
    }

    /// Bytes.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        match self.look()? {
            Look::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong("a Uint8Array")),
        }
    }

    /// The items of an array, if there is anything.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn opt_list(&self) -> Result<Option<Vec<Arg>>, Error> {
        match self.look()? {
            Look::Absent => Ok(None),
            Look::List(list) => Ok(Some(
                list.into_iter()
                    .map(|given| Arg {
                        given,
                        name: self.name.clone(),
                    })
                    .collect(),
            )),
            _ => Err(self.wrong("an array")),
        }
    }

    /// The items of an array.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn list(&self) -> Result<Vec<Arg>, Error> {
        self.opt_list()?.ok_or_else(|| self.wrong("an array"))
    }

    /// The items of an array; none where it was left out.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn items(&self) -> Result<Vec<Arg>, Error> {
        Ok(self.opt_list()?.unwrap_or_default())
    }

    /// One of these words, if there is anything, with what it stands for.
    ///
    /// # Errors
    /// As [`Arg::opt_word`].
    pub fn opt_known<'a, T>(&self, known: &'a [(&'static str, T)]) -> Result<Option<&'a (&'static str, T)>, Error> {
        let mut words = Vec::new();
        for (word, _) in known {
            words.push(*word);
        }
        Ok(self.opt_word(&words)?.and_then(|place| known.get(place)))
    }

    /// One of these words, if there is anything.
    ///
    /// # Errors
    /// As [`Arg::opt_word`].
    pub fn opt_one(&self, words: &[&'static str]) -> Result<Option<&'static str>, Error> {
        Ok(self.opt_word(words)?.and_then(|place| words.get(place)).copied())
    }

    /// The texts in an array; none where it was left out.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn texts(&self) -> Result<Vec<String>, Error> {
        each(&self.items()?, Arg::text)
    }

    /// The fields of an object, in their order.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn entries(&self) -> Result<Vec<(String, Arg)>, Error> {
        match self.look()? {
            Look::Object => {}
            _ => return Err(self.wrong("an object")),
        }
        let entries = self.given.entries(&self.name)?.into_iter().map(|(name, given)| {
            let full = [&*self.name, ".", &name].concat();
            (
                name,
                Arg {
                    given,
                    name: full.into(),
                },
            )
        });
        Ok(entries.collect())
    }

    /// An address.
    ///
    /// # Errors
    /// `invalid-jid` for a text that is none, `invalid-argument` for what is no text.
    pub fn jid(&self) -> Result<Jid, Error> {
        let text = self.text()?;
        Jid::parse(&text).map_err(|error| {
            let message = ["`", &*self.name, "` is no JID: ", &error.text()].concat();
            Error::new(Code::InvalidJid, Phase::Stanza, message)
        })
    }

    /// An address, as a text.
    ///
    /// # Errors
    /// As [`Arg::jid`].
    pub fn jid_text(&self) -> Result<String, Error> {
        Ok(self.jid()?.as_str().to_owned())
    }

    /// An address, if there is anything.
    ///
    /// # Errors
    /// As [`Arg::jid`].
    pub fn opt_jid(&self) -> Result<Option<Jid>, Error> {
        if self.is_absent()? {
            Ok(None)
        } else {
            self.jid().map(Some)
        }
    }

    /// The element that an object `{ name, attrs, children }` describes. Without a namespace of its own it is in `default`, or
    /// refused where there is none. Names and characters are checked when it is written.
    ///
    /// # Errors
    /// `invalid-argument` for anything else.
    pub fn element(&self, default: Option<&'static str>) -> Result<Element, Error> {
        let inherited = default.map(Namespace::from);
        self.element_in(inherited.as_ref(), MAX_DEPTH)
    }

    fn element_in(&self, inherited: Option<&Namespace>, depth: usize) -> Result<Element, Error> {
        // Also the end of an object that contains itself.
        let Some(depth) = depth.checked_sub(1) else {
            return Err(invalid(["`", &*self.name, "` is nested too deeply"].concat()));
        };
        let name = self.field("name")?.text()?;
        let attrs = self.field("attrs")?;
        let mut namespace = inherited.cloned();
        let mut known = Vec::new();
        if !attrs.is_absent()? {
            for (name, value) in attrs.entries()? {
                let Some(value) = value.opt_text()? else { continue };
                if name == "xmlns" {
                    namespace = Some(Namespace::from(value));
                } else {
                    known.push((name, value));
                }
            }
        }
        let Some(namespace) = namespace else {
            let message = ["`", &*self.name, "` needs a namespace, in `attrs.xmlns`"];
            return Err(invalid(message.concat()));
        };
        let mut element = Element::new(name, &namespace);
        for (name, value) in known {
            element.set_attr(name, value);
        }
        for child in self.field("children")?.opt_list()?.unwrap_or_default() {
            element.push(match child.look()? {
                Look::Text(text) => Node::Text(text),
                _ => Node::Element(child.element_in(Some(&namespace), depth)?),
            });
        }
        Ok(element)
    }

    /// It should have been something else.
    pub fn wrong(&self, kind: &str) -> Error {
        wrong(&self.name, kind)
    }
}

/// What the items of an array are read as by `read`.
///
/// # Errors
/// Those of `read`.
#[inline(never)]
pub fn each<T>(list: &[Arg], read: fn(&Arg) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    for item in list {
        all.push(read(item)?);
    }
    Ok(all)
}

/// What the app passed can't be used.
pub fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::InvalidArgument, Phase::Session, message)
}

/// It should have been something else.
pub fn wrong(what: &str, kind: &str) -> Error {
    invalid(["`", what, "` must be ", kind].concat())
}

/// An argument that isn't there.
struct Nothing;

impl Given for Nothing {
    fn look(&self, _: &str) -> Result<Look, Error> {
        Ok(Look::Absent)
    }

    fn field(&self, _: &str) -> Result<Box<dyn Given>, Error> {
        Ok(Box::new(Nothing))
    }

    fn entries(&self, _: &str) -> Result<Entries, Error> {
        Ok(Vec::new())
    }
}
