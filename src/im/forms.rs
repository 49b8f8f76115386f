//! Data forms, XEP-0004 2.13.2 (30 August 2024), with the form types of XEP-0068 1.3.0 (5 May 2020): no feature of its own, but what
//! features ask and are told in. A field has a value of its type, or the whole form is refused.
//!
//! Left out: rules that values must keep beside their type (XEP-0122).

mod media;
mod submitted;

pub use media::DataMedia;
pub(super) use submitted::{field, given, submit};

use super::sorted::{Map, Set};
use super::{OrNull, typescript};
use crate::error::{Code, Error, Phase};
use crate::jid::Jid;
use crate::xml::Element;
use serde::{Serialize, Serializer};

/// The namespace of forms.
pub(super) const FORMS: &str = "jabber:x:data";

/// The name of the field that says what the others mean (XEP-0068 §3.1).
pub(super) const FORM_TYPE: &str = "FORM_TYPE";

typescript!(
    r#"
/**
 * A form of XEP-0004.
 *
 * @example
 * const form: DataForm = await client.pubsub.configuration("blog");
 * const title = form.fields.find(({ name }) => name === "pubsub#title");
 * if (title?.type === "text-single") title.value = "What I cook";
 * await client.pubsub.configure("blog", form);
 */
export interface DataForm {
  /** To be filled in, filled in, given up, or data. */
  type: "form" | "submit" | "cancel" | "result";
  title?: string;
  /** What to do with it, in lines. */
  instructions?: string;
  /** In the order in which they are to be shown. */
  fields: DataField[];
  /** What the {@link items} are made of, where the form is a table. */
  reported?: DataField[];
  /** The rows of the table. */
  items?: DataField[][];
}

/** A field of a form; its `type` says what its `value` is. */
export type DataField =
  | (DataFieldOf<"boolean"> & { value: boolean })
  | (DataFieldOf<"text-single" | "text-private" | "fixed"> & { value: string | null })
  | (DataFieldOf<"list-single"> & { options: DataOption[]; value: string | null })
  /** The value is an address, prepared (RFC 7622). */
  | (DataFieldOf<"jid-single"> & { value: string | null })
  /** The value has one string a line. */
  | (DataFieldOf<"text-multi"> & { value: string[] })
  | (DataFieldOf<"list-multi"> & { options: DataOption[]; value: string[] })
  /** The values are addresses, prepared (RFC 7622), none of them twice. */
  | (DataFieldOf<"jid-multi"> & { value: string[] })
  /** Not to be shown. */
  | (DataFieldOf<"hidden"> & { value: string | string[] | null });

/** What all fields have. */
export interface DataFieldOf<Type extends string> {
  /** Its name in the form; empty for a `"fixed"` one, which is a text to be shown, without a name. */
  name: string;
  type: Type;
  /** Its name for people. */
  label?: string;
  /** What it is about. */
  description?: string;
  /** The form can't be submitted without it. */
  required?: true;
  /** What belongs to it (XEP-0221), such as the picture of a CAPTCHA: the same thing in one form or more. */
  media?: DataMedia[];
}

/** What can be chosen in a list. */
export interface DataOption {
  value: string;
  /** Its name for people. */
  label?: string;
}

/** The values of fields by the names of these, or a form whose values were filled in. Of a form all fields are submitted. */
export type DataValues = Record<string, string | boolean | number | string[] | null | undefined> | DataForm;
"#
);

/// A form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DataForm {
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: FormType,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What to do with it, in lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Its fields, in the order in which they are to be shown.
    pub fields: Vec<DataField>,
    /// What the items are made of (§3.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Vec<DataField>>,
    /// The rows of a table (§3.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Vec<DataField>>>,
}

/// What a form is for (XEP-0004 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FormType {
    /// To be filled in.
    Form,
    /// Filled in.
    Submit,
    /// Given up.
    Cancel,
    /// Data.
    Result,
}

/// A field of a form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DataField {
    /// Its name in the form; empty for a fixed one without.
    pub name: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the form can't be submitted without it.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub required: bool,
    /// What can be chosen, where it is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<DataOption>>,
    /// What belongs to it, in its forms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Vec<DataMedia>>,
    /// Its value.
    pub value: FieldValue,
}

/// What a field's value is (XEP-0004 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Yes or no.
    Boolean,
    /// A text to be shown.
    Fixed,
    /// Not to be shown.
    Hidden,
    /// Addresses.
    JidMulti,
    /// An address.
    JidSingle,
    /// Some of the options.
    ListMulti,
    /// One of the options.
    ListSingle,
    /// Lines.
    TextMulti,
    /// A line that isn't to be read over a shoulder.
    TextPrivate,
    /// A line.
    TextSingle,
}

const TYPES: [(&str, FieldType); 10] = [
    ("boolean", FieldType::Boolean),
    ("fixed", FieldType::Fixed),
    ("hidden", FieldType::Hidden),
    ("jid-multi", FieldType::JidMulti),
    ("jid-single", FieldType::JidSingle),
    ("list-multi", FieldType::ListMulti),
    ("list-single", FieldType::ListSingle),
    ("text-multi", FieldType::TextMulti),
    ("text-private", FieldType::TextPrivate),
    ("text-single", FieldType::TextSingle),
];

impl FieldType {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        TYPES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

/// A field's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldValue {
    /// There is none.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// Several.
    List(Vec<String>),
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FieldValue::Absent => OrNull::<bool>(None).serialize(serializer),
            FieldValue::Flag(flag) => flag.serialize(serializer),
            FieldValue::Text(text) => text.serialize(serializer),
            FieldValue::List(list) => list.serialize(serializer),
        }
    }
}

/// What can be chosen in a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DataOption {
    /// What is chosen by it.
    pub value: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl DataForm {
    /// Reads an `<x/>`.
    ///
    /// # Errors
    /// `protocol-violation` for anything else, and for fields whose values don't fit their types.
    pub fn read(form: &Element) -> Result<DataForm, Error> {
        let kind = match form.attr("type").filter(|_| form.is("x", FORMS)) {
            Some("form") => FormType::Form,
            Some("submit") => FormType::Submit,
            Some("cancel") => FormType::Cancel,
            Some("result") => FormType::Result,
            _ => return Err(unfit("something else stands where a form should")),
        };
        let named = |name: &'static str| form.all(name, FORMS);
        let none = Columns::new();
        let reported = named("reported").next();
        let reported = reported.map(|reported| fields(reported, kind, &none)).transpose()?;
        let mut columns = Columns::new();
        for column in reported.iter().flatten() {
            columns.insert(&column.name, column.kind);
        }
        let mut items = Vec::new();
        for item in named("item") {
            items.push(fields(item, kind, &columns)?);
        }
        let instructions = texts_of(form, "instructions");
        Ok(DataForm {
            kind,
            title: form.child_text("title", FORMS),
            instructions: Some(instructions.join("\n")).filter(|text| !text.is_empty()),
            fields: fields(form, kind, &none)?,
            items: reported.is_some().then_some(items),
            reported,
        })
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&DataField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What its fields mean, where it says.
    pub fn form_type(&self) -> Option<&str> {
        // XEP-0068 §4.3: one that isn't hidden says nothing.
        let field = self.field(FORM_TYPE).filter(|field| field.kind == FieldType::Hidden)?;
        match &field.value {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The types of a table's columns, by their names.
type Columns = Map<FieldType>;

/// The fields in a form, or in a part of it. Where one doesn't say its type, the column of its name does.
fn fields(of: &Element, form: FormType, columns: &Columns) -> Result<Vec<DataField>, Error> {
    let mut names = Set::default();
    let mut fields = Vec::new();
    for element in of.all("field", FORMS) {
        let column = element.attr("var").and_then(|name| columns.get(name));
        let field = field_of(element, form, column.copied())?;
        // XEP-0004 §3.2: a name is that of one field, and only a fixed one needs none.
        let named = element.attr("var").map(|name| names.insert(name.to_owned()));
        if field.kind != FieldType::Fixed && named != Some(true) {
            return Err(unfit("a form has fields without a name, or two of one name"));
        }
        fields.push(field);
    }
    Ok(fields)
}

/// The texts of the child elements of that name.
fn texts_of(of: &Element, name: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for child in of.all(name, FORMS) {
        texts.push(child.text());
    }
    texts
}

fn field_of(field: &Element, form: FormType, column: Option<FieldType>) -> Result<DataField, Error> {
    let values = texts_of(field, "value");
    let name = field.attr("var").unwrap_or_default();
    let kind = match field.attr("type") {
        // §3.3: what isn't known is a line of text.
        Some(word) => TYPES.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind),
        None if name == FORM_TYPE && form == FormType::Submit => Some(FieldType::Hidden),
        // §3.2: where it isn't said, it is known to those who read the form, or to be seen from the values.
        None => column.or_else(|| (form != FormType::Form && values.len() > 1).then_some(FieldType::TextMulti)),
    };
    let kind = kind.unwrap_or(FieldType::TextSingle);
    let listed = matches!(kind, FieldType::ListMulti | FieldType::ListSingle);
    let option = |option: &Element| {
        let mut values = option.all("value", FORMS);
        // §3.2: one and only one.
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(DataOption {
                value: value.text(),
                label: option.attr("label").map(str::to_owned),
            }),
            _ => Err(unfit("an option in a form has no value, or several")),
        }
    };
    let mut options = listed.then(Vec::new);
    if let Some(options) = &mut options {
        for element in field.all("option", FORMS) {
            options.push(option(element)?);
        }
    }
    Ok(DataField {
        name: name.to_owned(),
        kind,
        label: field.attr("label").map(str::to_owned),
        description: field.child_text("desc", FORMS),
        required: field.child("required", FORMS).is_some(),
        options,
        media: media::of(field),
        value: value_of(kind, values)?,
    })
}

/// What the values of a field say, if they fit its type.
fn value_of(kind: FieldType, mut values: Vec<String>) -> Result<FieldValue, Error> {
    let list = match kind {
        FieldType::ListMulti | FieldType::TextMulti => return Ok(FieldValue::List(values)),
        FieldType::JidMulti => {
            let (mut known, mut jids) = (Set::default(), Vec::new());
            for value in values.iter().filter(|value| !value.is_empty()) {
                let jid = jid(value)?;
                // §3.3: one that is there twice is ignored.
                if known.insert(jid.clone()) {
                    jids.push(jid);
                }
            }
            return Ok(FieldValue::List(jids));
        }
        // Some write a text in lines.
        FieldType::Fixed if values.len() > 1 => return Ok(FieldValue::Text(values.join("\n"))),
        FieldType::Hidden if values.len() > 1 => return Ok(FieldValue::List(values)),
        _ => values.len(),
    };
    // §3.2: one at most.
    if list > 1 {
        return Err(unfit("a field of a form has several values, and its type allows one"));
    }
    let value = values.pop();
    Ok(match (kind, value.as_deref().map(str::trim)) {
        // §3.3: where nothing is said it is false.
        (FieldType::Boolean, None | Some("" | "false" | "0")) => FieldValue::Flag(false),
        (FieldType::Boolean, Some("true" | "1")) => FieldValue::Flag(true),
        (FieldType::Boolean, Some(_)) => return Err(unfit("a field of a form is neither true nor false")),
        // §3.6: some write nothing as an empty value.
        (FieldType::JidSingle, None | Some("")) => FieldValue::Absent,
        (FieldType::JidSingle, Some(value)) => FieldValue::Text(jid(value)?),
        _ => value.map_or(FieldValue::Absent, FieldValue::Text),
    })
}

fn jid(value: &str) -> Result<String, Error> {
    let jid = Jid::parse(value.trim())
        .map_err(|_| unfit("a field of a form should have an address, and has something else"))?;
    Ok(jid.as_str().to_owned())
}

fn unfit(message: &'static str) -> Error {
    Error::new(Code::ProtocolViolation, Phase::Stanza, message)
}
