//! What the app logs in with.

use super::error::invalid;
use super::fields::{Fields, is_absent};
use super::options::jid;
use crate::error::Error;
use crate::sasl::{Credentials, Secret};
use wasm_bindgen::JsValue;

const ONE_OF: &str = "`credentials` must be one of { password }, { external: true } and { anonymous: true }";

/// Reads a value of the type `Credentials`.
pub(super) fn read(value: &JsValue) -> Result<Credentials, Error> {
    let fields = Fields::of(value, "credentials")?;
    for kind in ["token", "scramKeys"] {
        if !is_absent(&fields.get(kind)?) {
            return Err(invalid(
                ["this version takes no credentials of the kind `", kind, "`"].concat(),
            ));
        }
    }
    let password = fields.string("password")?;
    let anonymous = fields.flag("anonymous")? == Some(true);
    let external = fields.flag("external")? == Some(true);
    match (password, anonymous, external) {
        (Some(text), false, false) => password_of(text),
        (None, true, false) => Ok(Credentials::Anonymous),
        (None, false, true) => Ok(Credentials::External {
            authzid: match fields.string("authzid")? {
                Some(text) => Some(jid(&text, "authzid")?),
                None => None,
            },
        }),
        _ => Err(invalid(ONE_OF)),
    }
}

/// The credentials that a password is.
pub(super) fn password_of(text: String) -> Result<Credentials, Error> {
    if text.is_empty() {
        return Err(invalid("`password` is empty"));
    }
    Ok(Credentials::Password(Secret::new(text.into_bytes())))
}
