//! What a server or a service wants to know of those who register: read as a form, whichever way it asks, and filled in the same way.

use crate::error::{Code, Error, Phase};
use crate::given::Arg;
use crate::im::forms::{self, DataField, DataForm, FORMS, FieldType, FieldValue, FormType};
use crate::im::pubsub::violation;
use crate::jid::Jid;
use crate::sasl::{Secret, prep};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

const OOB: &str = "jabber:x:oob";

/// The most fields that a form may have.
const MOST: usize = 200;

/// Elements that say something else than what is to be filled in.
const ABOUT: [&str; 3] = ["instructions", "registered", "remove"];

/// What is to be filled in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RegistrationForm {
    /// The form.
    pub form: DataForm,
    /// Whether it is about somebody who is registered already.
    pub registered: bool,
    /// Where it can be done on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What somebody asks of those who register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    shown: RegistrationForm,
    /// By elements of XEP-0077 itself (§4), and not by a form.
    plainly: bool,
}

impl Asked {
    /// Reads a `<query/>`. A form comes before elements, and elements before an address on the web (§5).
    ///
    /// # Errors
    /// `protocol-violation` for what is none, or a form that can't be read or has more than 200 fields.
    pub fn read(query: Option<&Element>) -> Result<Asked, Error> {
        let query = query.filter(|query| query.is("query", ns::REGISTER));
        let query = query.ok_or_else(|| violation("the question what is to be registered was answered with something else"))?;
        let instructions = query.child_text("instructions", ns::REGISTER);
        let form = query.child("x", FORMS);
        let plain = |child: &&Element| child.ns() == ns::REGISTER && !ABOUT.contains(&child.name());
        let count = form.map_or_else(|| query.children().filter(plain).count(), |form| form.children().count());
        if count > MOST {
            return Err(violation("the form for a registration has more fields than anybody fills in"));
        }
        let mut shown = match form {
            Some(form) => DataForm::read(form)?,
            None => DataForm {
                kind: FormType::Form,
                title: None,
                instructions: None,
                fields: Vec::new(),
                reported: None,
                items: None,
            },
        };
        let plainly = form.is_none();
        if plainly {
            for element in query.children().filter(plain) {
                if shown.field(element.name()).is_none() {
                    shown.fields.push(plain_field(element));
                }
            }
        }
        let lines = instructions.map(|text| text.trim().to_owned());
        shown.instructions = shown.instructions.or(lines).filter(|text| !text.is_empty());
        shown.attach(query);
        let url = query.child("x", OOB).and_then(|oob| oob.child_text("url", OOB));
        Ok(Asked {
            shown: RegistrationForm {
                form: shown,
                registered: query.child("registered", ns::REGISTER).is_some(),
                url: url.map(|url| url.trim().to_owned()).filter(|url| is_web(url)),
            },
            plainly,
        })
    }

    /// As an app sees it.
    pub fn into_form(self) -> RegistrationForm {
        self.shown
    }

    /// The answer, with the first of these values that there is for each field; else what the form came with.
    ///
    /// # Errors
    /// `registration-elsewhere` where nothing can be filled in, `invalid-argument` where something that is required is not there.
    pub fn fill(&self, values: &[&Values]) -> Result<Element, Error> {
        self.can_be_filled()?;
        let mut missing = Vec::new();
        let mut query = Element::new("query", ns::REGISTER);
        let mut form = forms::submit("");
        for field in self.shown.form.fields.iter().filter(|field| field.kind != FieldType::Fixed) {
            let given = values.iter().find_map(|values| values.of(&field.name));
            let texts = given.map(<[String]>::to_vec).or_else(|| came_with(field));
            let nothing = texts.as_ref().is_none_or(|texts| texts.iter().all(String::is_empty));
            match texts {
                _ if nothing && field.required => missing.push(["`", &field.name, "`"].concat()),
                Some(texts) if self.plainly => {
                    let text = texts.into_iter().next().unwrap_or_default();
                    query = query.with_child(Element::new(field.name.clone(), ns::REGISTER).with_text(text));
                }
                Some(texts) => {
                    form = form.with_child(forms::field(&field.name, &texts).with_attr("type", field.kind.as_str()));
                }
                None => {}
            }
        }
        if !missing.is_empty() {
            let message = ["the form wants more to be filled in: ", &missing.join(", ")].concat();
            let hint = "Pass these values: when an account is made, in `fields`, or by a `form` function.";
            return Err(Error::new(Code::InvalidArgument, Phase::Stanza, message).with_hint(hint));
        }
        Ok(if self.plainly { query } else { query.with_child(form) })
    }

    fn can_be_filled(&self) -> Result<(), Error> {
        let fields = &self.shown.form.fields;
        if fields.iter().any(|field| field.kind != FieldType::Fixed) {
            return Ok(());
        }
        let message = "registrations aren't taken here, but somewhere else";
        let error = Error::new(Code::RegistrationElsewhere, Phase::Stanza, message);
        let instructions = self.shown.form.instructions.clone();
        Err(error.with_text(instructions).with_url(self.shown.url.clone()))
    }
}

/// An element of XEP-0077's own, as a field: all of them are required (§3.1).
fn plain_field(element: &Element) -> DataField {
    let kind = match element.name() {
        "password" => FieldType::TextPrivate,
        "key" => FieldType::Hidden,
        _ => FieldType::TextSingle,
    };
    let text = Some(element.text()).filter(|text| !text.is_empty() && kind != FieldType::TextPrivate);
    DataField {
        name: element.name().to_owned(),
        kind,
        label: None,
        description: None,
        required: kind != FieldType::Hidden,
        options: None,
        media: None,
        value: text.map_or(FieldValue::Absent, FieldValue::Text),
    }
}

/// What a field is submitted with where nobody has touched it. Secrets are nobody's but those who have them to give.
fn came_with(field: &DataField) -> Option<Vec<String>> {
    match &field.value {
        FieldValue::Absent => None,
        _ if field.kind == FieldType::TextPrivate => None,
        FieldValue::Flag(flag) => Some(vec![if *flag { "true" } else { "false" }.to_owned()]),
        FieldValue::Text(text) => Some(vec![text.clone()]),
        FieldValue::List(list) => Some(list.clone()).filter(|list| !list.is_empty()),
    }
}

/// Whether it is an address that a person may be led to: one of these never runs anything by itself.
fn is_web(url: &str) -> bool {
    let scheme = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    (scheme("https://") || scheme("http://")) && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Values by the names of their fields.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Values(Vec<(String, Vec<String>)>);

impl Values {
    /// Reads what an app has passed: values by names, a form that was filled in, or nothing.
    ///
    /// # Errors
    /// `invalid-argument`, `invalid-jid`.
    pub fn given(values: &Arg) -> Result<Values, Error> {
        if values.is_absent()? {
            return Ok(Values::default());
        }
        let form = forms::given(values, "")?;
        let mut all = Vec::new();
        for field in form.all("field", FORMS) {
            let texts = field.all("value", FORMS).map(|value| value.text()).collect();
            all.push((field.attr("var").unwrap_or_default().to_owned(), texts));
        }
        Ok(Values(all))
    }

    fn of(&self, name: &str) -> Option<&[String]> {
        let (_, texts) = self.0.iter().find(|(field, _)| field == name)?;
        Some(texts)
    }
}

/// Reads a password that an account is to have.
///
/// # Errors
/// `invalid-argument` for what is none, and for what nobody could log in with (RFC 4013).
pub fn password(text: String) -> Result<Secret, Error> {
    let invalid = |message: &'static str| Error::new(Code::InvalidArgument, Phase::Session, message);
    match prep::saslprep(&text) {
        // XEP-0077 §3.3.
        Ok(prepared) if prepared.is_empty() => Err(invalid("the password is empty")),
        Ok(_) => Ok(Secret::new(text.into_bytes())),
        Err(prep::PrepError::MixedDirections) => {
            Err(invalid("the password mixes right-to-left and left-to-right characters, and nobody could log in with it"))
        }
        Err(_) => Err(invalid("the password has a character that none may have, and nobody could log in with it")),
    }
}

/// An account that is to be made.
#[derive(Debug)]
pub struct NewAccount {
    username: String,
    password: Secret,
    fields: Values,
    asks: bool,
    asked: Option<Asked>,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// The server is told this.
    Tell(Element),
    /// The app is asked to fill in the rest.
    Ask(RegistrationForm),
}

impl NewAccount {
    /// One of this address and password. Where the server wants to know something that isn't among `fields`, the app is asked if it
    /// `asks` to be.
    pub fn new(account: &Jid, password: Secret, fields: Values, asks: bool) -> NewAccount {
        NewAccount {
            username: account.local().unwrap_or_default().to_owned(),
            password,
            fields,
            asks,
            asked: None,
        }
    }

    /// The server has said what it wants to know.
    ///
    /// # Errors
    /// Those of [`Asked::read`] and [`Asked::fill`], and `protocol-violation` where it wants to know neither name nor password.
    pub fn answer(&mut self, query: &Element) -> Result<Next, Error> {
        let asked = Asked::read(Some(query))?;
        asked.can_be_filled()?;
        let own = self.own();
        if !own.0.iter().all(|(name, _)| asked.shown.form.field(name).is_some()) {
            return Err(violation("the server's form has no place for a name and a password: the account would be another"));
        }
        let mut rest = asked.shown.clone();
        rest.form.fields.retain(|field| own.of(&field.name).is_none() && self.fields.of(&field.name).is_none());
        let open = |field: &DataField| !matches!(field.kind, FieldType::Fixed | FieldType::Hidden);
        if self.asks && rest.form.fields.iter().any(open) {
            self.asked = Some(asked);
            return Ok(Next::Ask(rest));
        }
        asked.fill(&[&own, &self.fields]).map(Next::Tell)
    }

    /// The app has filled in the rest.
    ///
    /// # Errors
    /// Those of [`Asked::fill`]; `invalid-state` where it wasn't asked.
    pub fn filled(&self, values: &Values) -> Result<Element, Error> {
        let nothing = || Error::new(Code::InvalidState, Phase::Session, "there is nothing to be filled in");
        let asked = self.asked.as_ref().ok_or_else(nothing)?;
        asked.fill(&[&self.own(), values, &self.fields])
    }

    /// What is the account's own, whatever else is said.
    fn own(&self) -> Values {
        let password = String::from_utf8_lossy(self.password.as_bytes()).into_owned();
        let own = [("username", self.username.clone()), ("password", password)];
        Values(own.into_iter().map(|(name, text)| (name.to_owned(), vec![text])).collect())
    }
}
