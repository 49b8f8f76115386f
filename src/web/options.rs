//! The options of a client and of a call, read and checked.

use super::credentials;
use super::fields::{Fields, is_absent, string, wrong};
use super::given::JsGiven;
use super::promises::AbortSignal;
use super::storage::{self, Store};
use crate::engine::Config;
use crate::error::{Code, Error, Phase};
use crate::given::Arg;
use crate::given::invalid;
use crate::im;
use crate::im::disco;
use crate::im::presence::PresenceInit;
use crate::im::register::{self, NewAccount, Values};
use crate::im::software_version::Software;
use crate::jid::Jid;
use crate::sasl::Credentials;
use crate::session::{self, CredentialSource, Framing, ReconnectPolicy};
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// What a client is made from.
pub(super) struct Options {
    pub(super) config: Config,
    /// The app's `credentials` function.
    pub(super) ask: Option<Function>,
    pub(super) store: Option<Store>,
}

/// What every long call takes.
#[derive(Default)]
pub(super) struct CallOptions {
    pub(super) signal: Option<AbortSignal>,
    /// Milliseconds.
    pub(super) timeout: Option<u64>,
}

impl Options {
    /// Reads `ConnectOptions`.
    pub(super) fn read(options: &JsValue) -> Result<Options, Error> {
        let fields = Fields::of(options, "options")?;
        let address = jid(&fields.required("jid")?, "jid")?;
        let storage = fields.get_or_null("storage")?;
        // Whoever names a store of their own has thought of who can read it.
        let leave = fields.flag("keepToken")?;
        let keep_token = leave.unwrap_or(!is_absent(&storage));
        let (source, ask) = source(&fields, &address, leave == Some(true))?;
        let mut config = session::Config::new(address.to_bare(), source);
        config.resource = resource(&fields, &address)?;
        way(&fields, &mut config)?;
        if let Some(queue) = at_least(&fields, "queue", 1.0)? {
            config.queue = queue as usize;
        }
        if let Some(silence) = at_least(&fields, "keepalive", 1_000.0)? {
            config.silence = silence as u64;
        }
        config.reconnect = reconnect(&fields.get("reconnect")?)?;
        config.allow_insecure = fields.flag("allowInsecure")?.unwrap_or(false);
        config.allow_plain = fields.flag("allowPlain")?.unwrap_or(false);
        match fields.string("framing")?.as_deref() {
            None | Some("rfc7395") => {}
            Some("draft-00") => config.framing = Framing::Draft00,
            Some(_) => return Err(wrong("framing", "\"rfc7395\" or \"draft-00\"")),
        }
        let store = storage::store(storage)?;
        config.storage = store.is_some();
        config.keep_token = keep_token && config.storage;
        let presence = fields.get("presence")?;
        let software = fields.get("software")?;
        let im = im::Config {
            features: disco::features(&Arg::new(Box::new(JsGiven(fields.get("features")?)), "features"))?,
            carbons: fields.flag("carbons")?.unwrap_or(true),
            presence: match presence.as_bool() {
                Some(false) => None,
                Some(true) => Some(PresenceInit::default()),
                None if presence.is_undefined() => Some(PresenceInit::default()),
                None => Some(PresenceInit::given(&Arg::new(Box::new(JsGiven(presence)), "presence"))?),
            },
            software: if software.is_undefined() {
                Software::default()
            } else {
                Software::given(&Arg::new(Box::new(JsGiven(software)), "software"))?
            },
            last_activity: fields.flag("lastActivity")?.unwrap_or(true),
            receipts: fields.flag("receipts")?.unwrap_or(true),
        };
        Ok(Options {
            config: Config { session: config, im },
            ask,
            store,
        })
    }
}

impl Options {
    /// Reads what `discover()` takes: nobody logs in with it.
    pub(super) fn of_domain(domain: &JsValue, options: &JsValue) -> Result<Options, Error> {
        let domain = jid(&string(domain, "domain")?, "domain")?;
        if domain.local().is_some() || domain.resource().is_some() {
            let message = "`domain` must be a domain alone, without a user or a resource";
            return Err(Error::new(Code::InvalidJid, Phase::Session, message));
        }
        let mut config = session::Config::new(domain, CredentialSource::Fixed(Credentials::Anonymous));
        if let Some(fields) = Fields::optional(options, "options")? {
            config.host_meta = fields.string("hostMeta")?;
        }
        let im = im::Config::default();
        Ok(Options {
            config: Config { session: config, im },
            ask: None,
            store: None,
        })
    }
}

impl Options {
    /// Reads what `register()` takes of an account that isn't there yet: nobody logs in with it.
    pub(super) fn of_account(options: &JsValue) -> Result<Options, Error> {
        let fields = Fields::of(options, "options")?;
        let address = jid(&fields.required("jid")?, "jid")?;
        if address.local().is_none() || address.is_full() {
            let message = "`jid` must be the address of an account: `user@example.org`";
            return Err(Error::new(Code::InvalidJid, Phase::Session, message));
        }
        let mut config = session::Config::new(address, CredentialSource::None);
        way(&fields, &mut config)?;
        config.reconnect = None;
        let im = im::Config::default();
        Ok(Options {
            config: Config { session: config, im },
            ask: None,
            store: None,
        })
    }
}

/// The account that `register()` is to make. The getters of the app's object have been seen to, and can't call the client: it isn't handed
/// out.
pub(super) fn account(options: &JsValue, address: &Jid) -> Result<NewAccount, Error> {
    let given = Arg::new(Box::new(JsGiven(options.clone())), "options");
    let password = register::password(given.of("password", Arg::text)?)?;
    let fields = given.of("fields", Values::given)?;
    let form = Fields::of(options, "options")?.get("form")?;
    if !form.is_undefined() && !form.is_function() {
        return Err(wrong("form", "a function"));
    }
    Ok(NewAccount::new(address, password, fields, form.is_function()))
}

/// How the server is to be reached, and in which time and language.
fn way(fields: &Fields<'_>, config: &mut session::Config) -> Result<(), Error> {
    config.url = fields.string("url")?;
    config.host_meta = fields.string("hostMeta")?;
    config.lang = fields.string("lang")?;
    if let Some(timeout) = fields.millis("timeout")? {
        config.timeout = timeout;
    }
    Ok(())
}

impl CallOptions {
    /// Reads `CallOptions`, which may be left out.
    pub(super) fn read(options: &JsValue) -> Result<CallOptions, Error> {
        let Some(fields) = Fields::optional(options, "options")? else {
            return Ok(CallOptions::default());
        };
        let signal = fields.get("signal")?;
        let signal = if signal.is_undefined() {
            None
        } else {
            match Fields::of(&signal, "signal")?.get("addEventListener")?.is_function() {
                true => Some(signal.unchecked_into()),
                false => return Err(wrong("signal", "an AbortSignal")),
            }
        };
        Ok(CallOptions {
            signal,
            timeout: fields.millis("timeout")?,
        })
    }
}

/// Parses the address that errors call `what`.
pub(super) fn jid(text: &str, what: &str) -> Result<Jid, Error> {
    Jid::parse(text).map_err(|error| {
        let message = ["`", what, "` is no JID: ", &error.text()].concat();
        Error::new(Code::InvalidJid, Phase::Session, message)
    })
}

fn source(fields: &Fields<'_>, address: &Jid, token: bool) -> Result<(CredentialSource, Option<Function>), Error> {
    let password = fields.string("password")?;
    let given = fields.get("credentials")?;
    if password.is_some() && !given.is_undefined() {
        return Err(invalid("`password` and `credentials` exclude each other"));
    }
    if let Some(function) = given.dyn_ref::<Function>() {
        return Ok((CredentialSource::Ask, Some(function.clone())));
    }
    let account = address.local().is_some();
    let known = match password {
        Some(password) => credentials::of_account(credentials::password(password)?, account)?,
        None if !is_absent(&given) => credentials::read(&given, account)?,
        None if !account => Credentials::Anonymous,
        // An earlier page may have been issued one.
        None if token => return Ok((CredentialSource::None, None)),
        None => return Err(invalid("an account needs `password` or `credentials`")),
    };
    Ok((CredentialSource::Fixed(known), None))
}

/// The resource to ask for: of its own option, or of the address.
fn resource(fields: &Fields<'_>, address: &Jid) -> Result<Option<String>, Error> {
    let Some(asked) = fields.string("resource")? else {
        return Ok(address.resource().map(str::to_owned));
    };
    let full = address.with_resource(&asked).map_err(|error| {
        let message = ["`resource` can't be one: ", &error.text()].concat();
        Error::new(Code::InvalidJid, Phase::Session, message)
    })?;
    if address.is_full() && address.resource() != full.resource() {
        return Err(invalid("`jid` and `resource` name two different resources"));
    }
    Ok(full.resource().map(str::to_owned))
}

/// A number that has a least value.
fn at_least(fields: &Fields<'_>, name: &str, least: f64) -> Result<Option<f64>, Error> {
    match fields.number(name)? {
        Some(number) if number < least => Err(invalid(["`", name, "` is too small"].concat())),
        number => Ok(number),
    }
}

fn reconnect(value: &JsValue) -> Result<Option<ReconnectPolicy>, Error> {
    let mut policy = ReconnectPolicy::default();
    match value.as_bool() {
        Some(false) => return Ok(None),
        Some(true) => {}
        None if value.is_undefined() => {}
        None => {
            let fields = Fields::of(value, "reconnect")?;
            if let Some(max) = fields.millis("maxDelay")? {
                policy.max = max;
            }
            if let Some(base) = fields.millis("minDelay")? {
                policy.base = base;
                policy.max = policy.max.max(base);
            }
            if let Some(attempts) = fields.number("maxAttempts")? {
                policy.attempts = (attempts < f64::from(u32::MAX)).then_some(attempts as u32);
            }
        }
    }
    Ok(Some(policy))
}
