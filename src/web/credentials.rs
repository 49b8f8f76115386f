//! What the app logs in with, and what a login leaves behind for the next.

use super::error::invalid;
use super::fields::{Fields, set, wrong};
use super::options::jid;
use crate::error::{Error, Phase};
use crate::sasl::scram::Limits;
use crate::sasl::{Credentials, Mechanism, ScramKeys, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use js_sys::Object;
use wasm_bindgen::JsValue;

const ONE_OF: &str = "`credentials` must be one of { password }, { token }, { scramKeys }, { external: true } and \
                      { anonymous: true }";

/// Reads a value of the type `Credentials`. `account` says whether the client's address has something before the domain.
pub(super) fn read(value: &JsValue, account: bool) -> Result<Credentials, Error> {
    let fields = Fields::of(value, "credentials")?;
    let keys = fields.get("scramKeys")?;
    let given = [
        fields.string("password")?.map(password),
        fields.string("token")?.map(token),
        (!keys.is_undefined()).then(|| scram_keys(&keys)),
        (fields.flag("external")? == Some(true)).then(|| external(&fields)),
        (fields.flag("anonymous")? == Some(true)).then_some(Ok(Credentials::Anonymous)),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(credentials), None) => of_account(credentials?, account),
        _ => Err(invalid(ONE_OF)),
    }
}

/// The credentials, if they can go with the client's address.
pub(super) fn of_account(credentials: Credentials, account: bool) -> Result<Credentials, Error> {
    let kind = match &credentials {
        Credentials::Password(_) => "a password needs",
        Credentials::Token(_) => "a token needs",
        Credentials::Keys(_) => "`scramKeys` need",
        _ => return Ok(credentials),
    };
    if account {
        return Ok(credentials);
    }
    Err(invalid(
        [kind, " an account: `jid` has nothing before the domain"].concat(),
    ))
}

/// The credentials that a password is.
pub(super) fn password(text: String) -> Result<Credentials, Error> {
    secret(text, "password").map(Credentials::Password)
}

fn token(text: String) -> Result<Credentials, Error> {
    secret(text, "token").map(Credentials::Token)
}

fn secret(text: String, what: &str) -> Result<Secret, Error> {
    if text.is_empty() {
        return Err(invalid(["`", what, "` is empty"].concat()));
    }
    Ok(Secret::new(text.into_bytes()))
}

fn external(fields: &Fields<'_>) -> Result<Credentials, Error> {
    Ok(Credentials::External {
        authzid: match fields.string("authzid")? {
            Some(text) => Some(jid(&text, "authzid")?),
            None => None,
        },
    })
}

/// Reads a value of the type `ScramKeys`.
fn scram_keys(value: &JsValue) -> Result<Credentials, Error> {
    let fields = Fields::of(value, "scramKeys")?;
    let hash = match Mechanism::from_name(&fields.required("mechanism")?) {
        Some(Mechanism::Scram(hash)) => hash,
        _ => return Err(wrong("mechanism", "the SCRAM mechanism that the keys were made for")),
    };
    let bytes = |name| {
        let text = fields.required(name)?;
        STANDARD.decode(text.as_bytes()).map_err(|_| wrong(name, "base64"))
    };
    let iterations = fields.number("iterations")?.unwrap_or_default();
    let keys = ScramKeys {
        hash,
        salt: bytes("salt")?,
        iterations: iterations as u32,
        client_key: Secret::new(bytes("clientKey")?),
        server_key: Secret::new(bytes("serverKey")?),
    };
    // The conversion saturates, and cuts off what is behind the point.
    if f64::from(keys.iterations) != iterations {
        return Err(wrong("iterations", "a whole number"));
    }
    keys.check(Limits::default())
        .map_err(|error| error.in_phase(Phase::Session))?;
    Ok(Credentials::Keys(keys))
}

/// The keys as an object of the type `ScramKeys`.
pub(super) fn to_js(keys: &ScramKeys) -> JsValue {
    let object: JsValue = Object::new().into();
    let text = |name, value: &str| set(&object, name, &value.into());
    text("mechanism", keys.hash.mechanism());
    text("salt", &STANDARD.encode(&keys.salt));
    set(&object, "iterations", &keys.iterations.into());
    text("clientKey", &STANDARD.encode(keys.client_key.as_bytes()));
    text("serverKey", &STANDARD.encode(keys.server_key.as_bytes()));
    object
}
