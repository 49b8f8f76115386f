//! What the archive keeps: the preferences of XEP-0441 0.2.0 (25 August 2020).

use super::page::MAM;
use crate::jid::Jid;
use crate::xml::Element;

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
        let list = |name| {
            let list = prefs.child(name, MAM).into_iter().flat_map(Element::children);
            let jids = list.filter(|jid| jid.is("jid", MAM));
            jids.filter_map(|jid| Jid::parse(jid.text().trim()).ok()).collect()
        };
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
