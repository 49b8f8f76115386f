//! The hashes, and what goes into them.

use crate::im::disco::INFO;
use crate::im::forms::{FORM_TYPE, FORMS};
use crate::xml::Element;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The form that clients have (XEP-0232), which is no feature of theirs.
const SOFTWARE: &str = "urn:xmpp:dataforms:softwareinfo";

/// How a hash is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    /// XEP-0115 §5.1, by SHA-1.
    First,
    /// XEP-0115 §5.1, by SHA-256.
    FirstSha256,
    /// XEP-0390 §4.1, by SHA-256.
    Second,
}

/// The hash in Base64, and how many bytes went into it; none where there is nothing that it could stand for.
pub(super) fn of(method: Method, info: &Element) -> Option<(String, usize)> {
    let input = match method {
        Method::First | Method::FirstSha256 => first(info)?,
        Method::Second => second(info)?,
    };
    let hash = match method {
        Method::First => STANDARD.encode(Sha1::digest(input.as_bytes())),
        Method::FirstSha256 | Method::Second => STANDARD.encode(Sha256::digest(input.as_bytes())),
    };
    Some((hash, input.len()))
}

/// Between words that are sorted as one text: XML has no lesser character, nor this one.
const BETWEEN: char = '\0';

/// The category, type, language and name of each identity, sorted.
fn identities(info: &Element) -> Vec<String> {
    let inherited = info.attr("xml:lang").unwrap_or_default();
    let mut identities = Vec::new();
    for identity in info.all("identity", INFO) {
        let attr = |name| identity.attr(name).unwrap_or_default();
        let lang = identity.attr("xml:lang").unwrap_or(inherited);
        identities.push([attr("category"), attr("type"), lang, attr("name")].join("\0"));
    }
    identities.sort_unstable();
    identities
}

fn features(info: &Element) -> Vec<&str> {
    let features = info.all("feature", INFO);
    let mut features: Vec<&str> = features.map(|feature| feature.attr("var").unwrap_or_default()).collect();
    features.sort_unstable();
    features
}

fn forms(info: &Element) -> impl Iterator<Item = &Element> {
    info.all("x", FORMS)
}

/// The fields of a form, each with its values behind its name, all sorted.
fn fields(form: &Element) -> Vec<String> {
    let mut fields = Vec::new();
    for field in form.all("field", FORMS) {
        let mut values = Vec::new();
        for value in field.all("value", FORMS) {
            values.push(value.text());
        }
        values.sort_unstable();
        values.insert(0, field.attr("var").unwrap_or_default().to_owned());
        fields.push(values.join("\0"));
    }
    fields.sort_unstable();
    fields
}

/// What stands before the first [`BETWEEN`].
fn first_word(words: &str) -> &str {
    words.split(BETWEEN).next().unwrap_or_default()
}

/// Whether a form says by a hidden field what it is (XEP-0068 §4.3).
pub(super) fn is_typed(form: &Element) -> bool {
    let mut fields = form.all("field", FORMS);
    fields.any(|field| field.attr("var") == Some(FORM_TYPE) && field.attr("type") == Some("hidden"))
}

/// What XEP-0115 §5.1 hashes; none for what is ill-formed (§5.4).
///
/// Its words have nothing between them that couldn't be in them, and so one text can be that of several answers. Those that aren't the one
/// that their sender says are refused: what has a `<` in it, identities without a type, which features of others may be, and forms that may be
/// the last features of others.
fn first(info: &Element) -> Option<String> {
    let identities = identities(info);
    let features = features(info);
    // §5.4 3.3 and 3.4.
    if has_twins(&identities) || has_twins(&features) || identities.is_empty() {
        return None;
    }
    let mut text = String::new();
    for identity in &identities {
        // The category, and the type.
        if identity.split(BETWEEN).take(2).any(str::is_empty) {
            return None;
        }
        push(&mut text, &identity.replace(BETWEEN, "/"))?;
    }
    for feature in &features {
        push(&mut text, feature)?;
    }
    let mut typed = Vec::new();
    // §5.4 3.6: the others are left out.
    for form in forms(info).filter(|form| is_typed(form)) {
        let fields = fields(form);
        let mut form_type = None;
        let mut said = String::new();
        for field in &fields {
            if first_word(field) == FORM_TYPE {
                // §5.4 3.5.
                for value in field.split(BETWEEN).skip(1) {
                    if *form_type.get_or_insert(value) != value {
                        return None;
                    }
                }
            } else {
                for word in field.split(BETWEEN) {
                    push(&mut said, word)?;
                }
            }
        }
        let mut words = form_type.unwrap_or_default().to_owned();
        words.push(BETWEEN);
        push(&mut words, form_type.unwrap_or_default())?;
        typed.push(words + &said);
    }
    typed.sort_unstable();
    // §5.4 3.5 again.
    if typed.windows(2).any(|pair| matches!(pair, [a, b] if first_word(a) == first_word(b))) {
        return None;
    }
    if let Some(form_type) = typed.first().map(|form| first_word(form))
        && form_type != SOFTWARE
        && features.last().is_none_or(|last| form_type >= *last)
    {
        return None;
    }
    for form in &typed {
        text.push_str(form.split_once(BETWEEN).map_or("", |(_, said)| said));
    }
    Some(text)
}

fn push(text: &mut String, word: &str) -> Option<()> {
    if word.contains('<') {
        return None;
    }
    text.push_str(word);
    text.push('<');
    Some(())
}

fn has_twins<T: PartialEq>(sorted: &[T]) -> bool {
    sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// What XEP-0390 §4.1 hashes; none where that is an error. What stands between the words can't be in XML.
fn second(info: &Element) -> Option<String> {
    let known = |child: &Element| child.is("identity", INFO) || child.is("feature", INFO) || child.is("x", FORMS);
    let is_table = |form: &Element| form.children().any(|child| child.is("reported", FORMS) || child.is("item", FORMS));
    // Steps 1 to 3.
    if !info.children().all(known) || !forms(info).all(|form| is_typed(form) && !is_table(form)) {
        return None;
    }
    let mut text = String::new();
    for feature in features(info) {
        text.push_str(feature);
        text.push('\u{1f}');
    }
    text.push('\u{1c}');
    joined(&mut text, identities(info).iter().map(|words| [&words.replace(BETWEEN, "\u{1f}"), "\u{1f}\u{1e}"].concat()));
    text.push('\u{1c}');
    let forms = forms(info).map(|form| {
        let fields = fields(form).into_iter().map(|field| {
            let mut words = [first_word(&field), "\u{1f}"].concat();
            joined(&mut words, field.split(BETWEEN).skip(1).map(|value| [value, "\u{1f}"].concat()));
            words.push('\u{1e}');
            words
        });
        let mut form = String::new();
        joined(&mut form, fields);
        form.push('\u{1d}');
        form
    });
    joined(&mut text, forms);
    text.push('\u{1c}');
    Some(text)
}

/// Adds texts in order, from lesser to greater.
fn joined(text: &mut String, texts: impl Iterator<Item = String>) {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    for next in texts {
        text.push_str(&next);
    }
}
