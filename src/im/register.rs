//! In-band registration, XEP-0077 2.4 (25 January 2012): the account's own password and end, and registrations with services. How
//! an account comes to be is the session's matter, before there is a login; what there is to be filled in is read and written here
//! ([`NewAccount`]).
//!
//! A password leaves only where one may (§9): over an encrypted connection to the domain's own endpoint, or within this machine.
//! Once it has changed, the next login is made with the new one. Where the account is removed, its server may end the stream in the
//! place of an answer (§3.2); so does one that refuses the account from then on.
//!
//! Left out: forms that a server wants filled in for a new password or a removal (§3.2, §3.3), which are told as the errors that they
//! come with. The old `<key/>` (§6) is sent back as it came.

mod form;

pub use form::{Asked, NewAccount, Next, RegistrationForm, Values, password};

use super::{Call, Config, Ctx, Feature, Never, Reply, typescript};
use crate::error::{Code, Error};
use crate::given::{Arg, Args, invalid};
use crate::jid::Jid;
use crate::sasl::Secret;
use crate::session::{Status, Ticket, Token};
use crate::stream::ns;
use crate::xml::Element;
use serde::Serialize;

typescript!(
    r#"
export interface Calls {
  /** The account itself. */
  readonly account: Account;
  /** What the account is registered with beside its own server: gateways, for example. */
  readonly registration: Registration;
}

/** What `register()` takes. Discovery and endpoints are those of `connect()`, but for that nothing is unencrypted beyond loopback. */
export interface RegisterOptions {
  /** The account that is to be: `"alice@example.org"`. */
  jid: string;
  /** Its password, which is sent as it is, over an encrypted connection to the domain's own endpoint or within this machine. */
  password: string;
  /** A `wss:` address (`ws:` on loopback): nothing is looked up then. */
  url?: string | undefined;
  /** The origin to ask for host-meta in place of `https://DOMAIN`. `http:` on loopback only. */
  hostMeta?: string | undefined;
  /** What else the server may want to know, by the names of its fields, such as `email`. What it doesn't ask for isn't sent. */
  fields?: Record<string, string | boolean | number | string[] | null | undefined> | undefined;
  /** Is called where the server wants to know something that isn't among `fields`. Without it that is `invalid-argument`, if it is required. */
  form?: ((registration: RegistrationForm) => DataValues | null | undefined | Promise<DataValues | null | undefined>) | undefined;
  /** The language of the server's texts, such as `"de"`. */
  lang?: string | undefined;
  /** Ends it with `aborted`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for the server's form, and as many for its answer to what was filled in. Default 30,000. */
  timeout?: number | undefined;
}

/** What a server or service wants to know of those who register. */
export interface RegistrationForm {
  /** What is to be filled in, without what is known already. Many ask without a form: such fields have no label, and all are required. */
  form: DataForm;
  /** Whether there is a registration: the form has what is on file, passwords apart. */
  registered: boolean;
  /** Where it can be done on the web, too. `http:` or `https:`. */
  url?: string;
}

/** The account itself (XEP-0077). */
export interface Account {
  /**
   * Changes the account's password. This client logs in with the new one from then on, unless its `credentials` are a function: then it
   * is asked, as always. Keys that a `credentials` event has told are `keys-outdated`; the next login tells new ones. What else is
   * logged in, the server may end.
   *
   * Rejects `offline`; `stanza-error`, with the condition `not-allowed` where the server lets nobody do so, and `not-acceptable` or
   * `not-authorized` where it doesn't take that password, or not by this way alone; `insecure` where others could read it;
   * `closed` where the connection ended before the answer: either password may be the one.
   *
   * @example await client.account.changePassword(await askForPassword());
   */
  changePassword(password: string, options?: CallOptions): Promise<void>;
  /**
   * Removes the account from its server, with all that is there. After that the client is offline and doesn't come back, and
   * what was kept in `storage` is gone.
   *
   * Rejects `offline`; `stanza-error`, with the condition `not-allowed` or `forbidden` where the server doesn't let the account do so;
   * `closed` where the connection ended before the answer and the account is still there.
   *
   * @example if (confirm("Remove the account for good?")) await client.account.remove();
   */
  remove(options?: CallOptions): Promise<void>;
}

/**
 * Registrations with services (XEP-0077). All calls reject `offline`, `invalid-jid`, `protocol-violation` for an answer that is
 * none, and `stanza-error`: `service-unavailable` where nobody can register.
 */
export interface Registration {
  /**
   * What a service wants to know, or knows of the account.
   *
   * @example
   * const { form, registered } = await client.registration.get("gateway.example.org");
   */
  get(jid: string, options?: CallOptions): Promise<RegistrationForm>;
  /**
   * Registers the account, or changes what is on file: values by the names of the fields, or the form that was filled in. What isn't given is
   * sent as the service has it.
   *
   * Rejects `invalid-argument` where something is missing (the message names it), `registration-elsewhere` where it can only be
   * done on the web, at the error's `url`, and `insecure`; `stanza-error` with `not-acceptable` where the service doesn't like it, and
   * `conflict` where somebody else has that name.
   *
   * @example
   * const { form } = await client.registration.get("gateway.example.org");
   * show(form.instructions, form.fields);
   * await client.registration.set("gateway.example.org", { username: "alice", password: prompt("Password there") });
   */
  set(jid: string, values: DataValues, options?: CallOptions): Promise<void>;
  /**
   * Ends the registration.
   *
   * @example
   * await client.registration.remove("gateway.example.org");
   */
  remove(jid: string, options?: CallOptions): Promise<void>;
}
"#
);

/// What the app can call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Changes the account's password.
    ChangePassword(Secret),
    /// Removes the account.
    RemoveAccount,
    /// What somebody wants to know.
    Get(Jid),
    /// Tells them.
    Set(Jid, Values),
    /// Ends the registration with them.
    Remove(Jid),
}

/// What calls resolve to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing.
    Done,
    /// What is to be filled in.
    Form(RegistrationForm),
}

/// The calls under way.
#[derive(Debug, Default)]
pub struct Register {
    asked: Vec<(Ticket, What)>,
}

/// What is asked for a call.
#[derive(Debug)]
enum What {
    /// That the account have this password.
    Password(Secret),
    /// That the account be removed.
    Removal,
    /// The same, and the connection has ended over it. Whether the account is still there the next login shows.
    Removed(Error),
    /// What somebody wants to know, for the app.
    Form,
    /// The same, to tell them.
    Values(Jid, Values),
    /// Anything else.
    Done,
}

impl Feature for Register {
    type Command = Command;
    type Reply = Answer;
    type Event = Never;

    const CALLS: &'static [Call] = &[
        Call::once("account.changePassword", 1),
        Call::once("account.remove", 0),
        Call::once("registration.get", 1),
        Call::once("registration.set", 2),
        Call::once("registration.remove", 1),
    ];

    fn new(_: &Config) -> Self {
        Register::default()
    }

    fn read(name: &str, args: &mut Args) -> Result<Command, Error> {
        Ok(match name {
            "account.changePassword" => Command::ChangePassword(password(args.of(0, "password", Arg::text)?)?),
            "account.remove" => Command::RemoveAccount,
            "registration.get" => Command::Get(args.of(0, "jid", Arg::jid)?),
            "registration.set" => Command::Set(args.of(0, "jid", Arg::jid)?, args.of(1, "values", Values::given)?),
            _ => Command::Remove(args.of(0, "jid", Arg::jid)?),
        })
    }

    fn command(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) {
        if let Err(error) = self.begin(cx, ticket, command) {
            cx.reply(ticket, Err(error));
        }
    }

    fn on_online(&mut self, cx: &mut Ctx<'_>) {
        // The account is still there.
        for (ticket, what) in core::mem::take(&mut self.asked) {
            match what {
                What::Removed(error) => {
                    cx.removing(None);
                    cx.reply(ticket, Err(error));
                }
                what => self.asked.push((ticket, what)),
            }
        }
    }

    fn on_reply(&mut self, cx: &mut Ctx<'_>, token: Token, result: Result<Option<Element>, Error>) {
        let Token::Call(ticket) = token else { return };
        let Some(place) = self.asked.iter().position(|(asked, _)| *asked == ticket) else {
            return;
        };
        let (_, what) = self.asked.swap_remove(place);
        let answer = match (what, result) {
            (What::Password(password), Ok(_)) => {
                cx.password_changed(password);
                Ok(Answer::Done)
            }
            (What::Password(_), Err(error)) => Err(explained(error)),
            (What::Removal | What::Removed(_), Ok(_)) => {
                cx.removed();
                Ok(Answer::Done)
            }
            (What::Removal, Err(error)) if error.code() == Code::Closed && cx.status() == Status::Reconnecting => {
                return self.asked.push((ticket, What::Removed(error)));
            }
            (What::Removal | What::Removed(_), Err(error)) => {
                cx.removing(None);
                Err(explained(error))
            }
            (What::Form, Ok(query)) => Asked::read(query.as_ref()).map(|asked| Answer::Form(asked.into_form())),
            (What::Values(jid, values), Ok(query)) => {
                let filled = Asked::read(query.as_ref()).and_then(|asked| asked.fill(&[&values]));
                match filled.and_then(|query| self.ask(cx, ticket, true, Some(jid), query, What::Done)) {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            }
            (What::Done, Ok(_)) => Ok(Answer::Done),
            (What::Form | What::Values(..) | What::Done, Err(error)) => Err(error),
        };
        cx.reply(ticket, answer.map(Reply::Register));
    }
}

impl Register {
    fn begin(&mut self, cx: &mut Ctx<'_>, ticket: Ticket, command: Command) -> Result<(), Error> {
        let query = Element::new("query", ns::REGISTER);
        match command {
            Command::ChangePassword(password) => {
                let server = cx.account().domain_jid();
                let local = cx.account().local().filter(|_| !cx.is_anonymous());
                let local = local.ok_or_else(|| invalid("an anonymous account has no password"))?;
                let text = String::from_utf8_lossy(password.as_bytes()).into_owned();
                let query = query
                    .with_child(Element::new("username", ns::REGISTER).with_text(local))
                    .with_child(Element::new("password", ns::REGISTER).with_text(text));
                self.ask(cx, ticket, true, Some(server), query, What::Password(password))
            }
            Command::RemoveAccount => {
                let query = query.with_child(Element::new("remove", ns::REGISTER));
                // §3.2: of the own account, and so to nobody.
                self.ask(cx, ticket, true, None, query, What::Removal)?;
                cx.removing(Some(ticket));
                Ok(())
            }
            Command::Get(jid) => self.ask(cx, ticket, false, Some(jid), query, What::Form),
            Command::Set(jid, values) => {
                of_a_service(cx, &jid)?;
                self.ask(cx, ticket, false, Some(jid.clone()), query, What::Values(jid, values))
            }
            Command::Remove(jid) => {
                of_a_service(cx, &jid)?;
                let query = query.with_child(Element::new("remove", ns::REGISTER));
                self.ask(cx, ticket, true, Some(jid), query, What::Done)
            }
        }
    }

    fn ask(
        &mut self,
        cx: &mut Ctx<'_>,
        ticket: Ticket,
        set: bool,
        to: Option<Jid>,
        query: Element,
        what: What,
    ) -> Result<(), Error> {
        cx.ask_in_private(set, to, query, Token::Call(ticket))?;
        self.asked.push((ticket, what));
        Ok(())
    }
}

/// The account's own registration has calls that look after what follows.
fn of_a_service(cx: &Ctx<'_>, jid: &Jid) -> Result<(), Error> {
    let account = cx.account();
    match *jid == account.domain_jid() || jid.same_bare(account) {
        true => Err(invalid("`jid` is the own server: that is the matter of `account.changePassword()` and `account.remove()`")),
        false => Ok(()),
    }
}

/// What a person can do about a refusal (§3.2, §3.3).
fn explained(error: Error) -> Error {
    match error.condition() {
        Some("not-allowed" | "forbidden" | "service-unavailable" | "feature-not-implemented") => {
            error.with_hint("This server doesn't let its users do that by themselves: ask its operator.")
        }
        Some("not-acceptable" | "policy-violation") => error.with_hint("The server may want a stronger password."),
        Some("not-authorized" | "bad-request") => {
            error.with_hint("The server wants to know more before it does that. Its web page may say how it is done.")
        }
        _ => error,
    }
}
