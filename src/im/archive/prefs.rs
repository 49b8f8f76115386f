//! What the archive keeps: the preferences of XEP-0441 0.2.0 (25 August 2020).

use super::page::MAM;
use crate::error::Error;
use crate::given::Arg;
use crate::jid::Jid;
use crate::xml::{Element, Node};
use serde::Serialize;

/// What an app reads and sets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Preferences {
    /// Which messages, where neither list names the other side.
    pub default: Keep,
    /// To and from whom messages are kept.
    pub always: Vec<String>,
    /// To and from whom they are not.
    pub never: Vec<String>,
}

/// Which messages are kept (§2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// All.
    Always,
    /// None.
    Never,
    /// Those to and from contacts.
    Roster,
}

const KEEP: [(&str, Keep); 3] = [
    ("always", Keep::Always),
    ("never", Keep::Never),
    ("roster", Keep::Roster),
];

impl Preferences {
    /// Reads a `<prefs/>`.
    pub(in crate::im) fn read(prefs: &Element) -> Option<Preferences> {
        let default = prefs.attr("default").filter(|_| prefs.is("prefs", MAM))?;
        let list = |name| jids(prefs, name).map(|jid| Jid::parse(&jid).map_or(jid, |jid| jid.as_str().to_owned()));
        Some(Preferences {
            default: KEEP.iter().find(|(word, _)| *word == default)?.1,
            always: list("always").collect(),
            never: list("never").collect(),
        })
    }

    /// Reads what an app has passed. Lists that were left out would be emptied, which nobody says by saying nothing.
    ///
    /// # Errors
    /// `invalid-argument`, `invalid-jid`.
    pub(in crate::im) fn given(prefs: &Arg) -> Result<Preferences, Error> {
        let default = prefs.field("default")?;
        let keep = default.opt_known(&KEEP)?;
        let list = |name| {
            let list = prefs.of(name, Arg::list)?;
            crate::given::each(&list, Arg::jid_text)
        };
        Ok(Preferences {
            default: keep.ok_or_else(|| default.wrong("a string"))?.1,
            always: list("always")?,
            never: list("never")?,
        })
    }

    /// As it is sent.
    pub(in crate::im) fn element(&self) -> Element {
        let default = KEEP.iter().find(|(_, keep)| *keep == self.default);
        let list = |name, jids: &[String]| {
            let mut list = Element::new(name, MAM);
            for jid in jids {
                list.push(Node::Element(Element::new("jid", MAM).with_text(jid.as_str())));
            }
            list
        };
        Element::new("prefs", MAM)
            .with_opt_attr("default", default.map(|(word, _)| *word))
            .with_child(list("always", &self.always))
            .with_child(list("never", &self.never))
    }
}

/// The addresses in a list of that name.
fn jids(prefs: &Element, name: &str) -> impl Iterator<Item = String> {
    let list = prefs.child(name, MAM).into_iter().flat_map(Element::children);
    let jids = list.filter(|jid| jid.is("jid", MAM));
    jids.map(|jid| jid.text().trim().to_owned()).filter(|jid| !jid.is_empty())
}

/// Which messages an archive keeps, as far as that is known.
#[derive(Debug)]
pub(super) struct Prefs {
    always: Vec<Jid>,
    never: Vec<Jid>,
    /// Whether those of everybody else.
    others: bool,
}

impl Prefs {
    /// An archive that says nothing of any preferences.
    pub(super) fn all() -> Prefs {
        Prefs {
            always: Vec::new(),
            never: Vec::new(),
            others: true,
        }
    }

    /// An archive of which nothing is certain.
    pub(super) fn unknown() -> Prefs {
        Prefs {
            others: false,
            ..Prefs::all()
        }
    }

    /// Reads a `<prefs/>`.
    pub(super) fn read(prefs: Option<&Element>) -> Prefs {
        let Some(prefs) = prefs.filter(|prefs| prefs.is("prefs", MAM)) else {
            return Prefs::unknown();
        };
        let list = |name| jids(prefs, name).filter_map(|jid| Jid::parse(&jid).ok()).collect();
        Prefs {
            always: list("always"),
            never: list("never"),
            // §2.1: by the roster as the server had it then is for nobody here to know.
            others: prefs.attr("default") == Some("always"),
        }
    }

    /// Whether it certainly keeps what was sent to this address.
    pub(super) fn keep(&self, to: &Jid) -> bool {
        // §2.3: a bare address stands for all of its resources.
        let listed = |list: &[Jid]| list.iter().any(|jid| jid == to || (jid.is_bare() && jid.same_bare(to)));
        !listed(&self.never) && (self.others || listed(&self.always))
    }
}
