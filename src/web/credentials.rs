//! What the app logs in with, and what a login leaves behind for the next.

use super::fields::{Fields, set, string, wrong};
use super::options::jid;
use crate::error::{Error, Phase};
use crate::given::invalid;
use crate::sasl::scram::Limits;
use crate::sasl::{Credentials, Mechanism, ScramKeys, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use js_sys::Object;
use wasm_bindgen::JsValue;

const ONE_OF: &str = "`credentials` must be one of { password }, { token }, { scramKeys }, { external: true } and \
                      { anonymous: true }";
const KINDS: [&str; 5] = ["password", "token", "scramKeys", "external", "anonymous"];

/// Reads a value of the type `Credentials`. `account` says whether the client's address has something before the domain.
pub(super) fn read(value: &JsValue, account: bool) -> Result<Credentials, Error> {
    let fields = Fields::of(value, "credentials")?;
    let mut given = None;
    for kind in KINDS {
        let value = fields.get(kind)?;
        // `external: false` is as good as nothing.
        let absent = value.is_undefined() || value.as_bool() == Some(false);
        if !absent && given.replace((kind, value)).is_some() {
            return Err(invalid(ONE_OF));
        }
    }
    let Some((kind, value)) = given else {
        return Err(invalid(ONE_OF));
    };
    let credentials = match kind {
        "password" => password(string(&value, kind)?)?,
        "token" => Credentials::Token(secret(string(&value, kind)?, kind)?),
        "scramKeys" => scram_keys(&value)?,
        _ if value.as_bool().is_none() => return Err(wrong(kind, "a boolean")),
        "external" => Credentials::External {
            authzid: match fields.string("authzid")? {
                Some(text) => Some(jid(&text, "authzid")?),
                None => None,
            },
        },
        _ => Credentials::Anonymous,
    };
    of_account(credentials, account)
}

/// The credentials, if they can go with the client's address.
pub(super) fn of_account(credentials: Credentials, account: bool) -> Result<Credentials, Error> {
    match credentials {
        Credentials::Password(_) | Credentials::Token(_) | Credentials::Keys(_) if !account => Err(invalid(
            "a password, a token and `scramKeys` need an account: `jid` has nothing before the domain",
        )),
        _ => Ok(credentials),
    }
}

/// The credentials that a password is.
pub(super) fn password(text: String) -> Result<Credentials, Error> {
    secret(text, "password").map(Credentials::Password)
}

fn secret(text: String, what: &str) -> Result<Secret, Error> {
    if text.is_empty() {
        return Err(invalid(["`", what, "` is empty"].concat()));
    }
    Ok(Secret::new(text.into_bytes()))
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
