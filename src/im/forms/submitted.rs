//! Forms that go out: filled in by the app, or made of values.

use super::{FORM_TYPE, FORMS, FieldType, TYPES};
use crate::decimal::decimal;
use crate::error::Error;
use crate::given::{Arg, Look};
use crate::xml::Element;

/// A form that is submitted, of that type, if it has one: its fields are added by [`field`].
pub(in crate::im) fn submit(form_type: &str) -> Element {
    if form_type.is_empty() {
        return submission();
    }
    submission().with_child(field(FORM_TYPE, &[form_type]).with_attr("type", "hidden"))
}

fn submission() -> Element {
    Element::new("x", FORMS).with_attr("type", "submit")
}

/// A field of a form that is submitted.
pub(in crate::im) fn field(name: &str, values: &[impl AsRef<str>]) -> Element {
    let mut field = Element::new("field", FORMS).with_attr("var", name);
    for value in values {
        field = field.with_child(Element::new("value", FORMS).with_text(value.as_ref()));
    }
    field
}

/// What an app submits: a form that it has filled in, or values by the names of their fields. Where the form doesn't say what it is, it is
/// of that type.
///
/// # Errors
/// `invalid-argument` for anything else, and for values that don't fit the type of their field; `invalid-jid` for addresses that are none.
pub(in crate::im) fn given(values: &Arg, form_type: &str) -> Result<Element, Error> {
    if let Some(fields) = values.field("fields")?.given()?
        && !values.field("type")?.is_absent()?
    {
        let fields = fields.items()?;
        return filled_in(&fields, form_type);
    }
    let mut form = submit(form_type);
    for (name, value) in values.entries()? {
        let texts = match value.look()? {
            Look::Absent => continue,
            Look::Flag(flag) => vec![word(flag).to_owned()],
            // The conversion saturates.
            Look::Number(number) if number as i64 as f64 == number => vec![decimal(number as i64)],
            Look::Text(text) => vec![text],
            Look::List(_) => value.texts()?,
            _ => return Err(value.wrong("a string, a boolean, a whole number, or an array of strings")),
        };
        form = form.with_child(field(&name, &texts));
    }
    Ok(form)
}

fn filled_in(fields: &[Arg], form_type: &str) -> Result<Element, Error> {
    let mut form = submission();
    let mut typed = false;
    let mut written = Vec::new();
    for given in fields {
        let name = given.of("name", Arg::text)?;
        let kind = given.field("type")?;
        let Some((word, kind)) = kind.opt_known(&TYPES)? else {
            return Err(kind.wrong("the type of a field"));
        };
        if let Some(texts) = texts(*kind, &given.field("value")?)? {
            typed |= name == FORM_TYPE;
            written.push(field(&name, &texts).with_attr("type", *word));
        }
    }
    if !typed {
        form = submit(form_type);
    }
    for field in written {
        form = form.with_child(field);
    }
    Ok(form)
}

/// What a field of this type is submitted with; none where it isn't.
fn texts(kind: FieldType, value: &Arg) -> Result<Option<Vec<String>>, Error> {
    let one = |text: Option<String>| Ok(text.map(|text| vec![text]));
    match kind {
        FieldType::Fixed => Ok(None),
        FieldType::Boolean => one(value.opt_flag()?.map(|flag| word(flag).to_owned())),
        FieldType::JidSingle => one(value.opt_jid()?.map(|jid| jid.as_str().to_owned())),
        FieldType::TextSingle | FieldType::TextPrivate | FieldType::ListSingle => one(value.opt_text()?),
        FieldType::Hidden => match value.look()? {
            Look::List(_) => value.texts().map(Some),
            _ => one(value.opt_text()?),
        },
        FieldType::ListMulti => value.texts().map(Some),
        // §3.3: one value a line.
        FieldType::TextMulti => {
            let mut lines = Vec::new();
            for text in value.texts()? {
                for line in text.split('\n') {
                    lines.push(line.to_owned());
                }
            }
            Ok(Some(lines))
        }
        FieldType::JidMulti => crate::given::each(&value.items()?, Arg::jid_text).map(Some),
    }
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}
