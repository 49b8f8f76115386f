//! Which service takes files: XEP-0363 §3.

use super::{UPLOAD, UploadService, Waiting, whole};
use crate::error::{Code, Error};
use crate::im::Ctx;
use crate::im::disco::{DiscoInfo, INFO, ITEMS};
use crate::im::forms::FieldValue;
use crate::jid::Jid;
use crate::session::Token;
use crate::xml::Element;

/// How many services a server is asked about.
const MOST: usize = 50;

/// What is known in this session of who takes files, and what is being asked. What isn't asked of somebody by name is asked of the server
/// and of all that it has.
#[derive(Debug, Default)]
pub(super) struct Search {
    known: Vec<(Option<Jid>, Option<UploadService>)>,
    under_way: Vec<Lookup>,
    questions: Vec<Question>,
    tokens: u32,
}

/// What is to be known.
#[derive(Debug)]
struct Lookup {
    named: Option<Jid>,
    waiting: Vec<Waiting>,
    /// How many questions aren't answered.
    open: usize,
    /// Why one of them never will be.
    failed: Option<Error>,
}

#[derive(Debug)]
struct Question {
    token: u32,
    named: Option<Jid>,
    /// Who is asked what they can; nobody where the server is asked what it has.
    of: Option<Jid>,
}

/// For whom something is known now, which calls have waited for that, and what it is.
pub(super) type Found = (Option<Jid>, Vec<Waiting>, Result<Option<UploadService>, Error>);

impl Search {
    /// What is known of who was named, or of the server.
    pub(super) fn known(&self, named: Option<&Jid>) -> Option<Option<UploadService>> {
        let mut known = self.known.iter();
        let (_, service) = known.find(|(known, _)| known.as_ref() == named)?;
        Some(service.clone())
    }

    /// Nothing is known.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Begins to ask, where that isn't under way.
    pub(super) fn begin(&mut self, cx: &mut Ctx<'_>, named: Option<Jid>, call: Waiting) -> Result<(), Error> {
        if let Some(lookup) = self.under_way.iter_mut().find(|lookup| lookup.named == named) {
            lookup.waiting.push(call);
            return Ok(());
        }
        let first = match &named {
            Some(jid) => jid.clone(),
            None => cx.account().domain_jid(),
        };
        self.ask(cx, &named, Some(first))?;
        let mut open = 1;
        if named.is_none() {
            self.ask(cx, &named, None)?;
            open += 1;
        }
        self.under_way.push(Lookup {
            named,
            waiting: vec![call],
            open,
            failed: None,
        });
        Ok(())
    }

    fn ask(&mut self, cx: &mut Ctx<'_>, named: &Option<Jid>, of: Option<Jid>) -> Result<(), Error> {
        self.tokens = self.tokens.wrapping_add(1);
        let (to, ns) = match &of {
            Some(jid) => (jid.clone(), INFO),
            None => (cx.account().domain_jid(), ITEMS),
        };
        cx.ask(false, Some(to), Element::new("query", ns), Token::Own(self.tokens))?;
        self.questions.push(Question {
            token: self.tokens,
            named: named.clone(),
            of,
        });
        Ok(())
    }

    /// A question has been answered. What is found, where it is known then.
    pub(super) fn answered(
        &mut self,
        cx: &mut Ctx<'_>,
        token: u32,
        result: Result<Option<Element>, Error>,
    ) -> Option<Found> {
        let place = self.questions.iter().position(|question| question.token == token)?;
        let question = self.questions.swap_remove(place);
        let place = self.under_way.iter().position(|lookup| lookup.named == question.named)?;
        let mut asked = 0;
        let mut failed = None;
        let mut service = None;
        match result {
            Ok(answer) => match question.of {
                Some(jid) => service = read(jid, answer.as_ref()),
                None => {
                    for jid in items(answer.as_ref(), &cx.account().domain_jid()) {
                        asked += usize::from(self.ask(cx, &question.named, Some(jid)).is_ok());
                    }
                }
            },
            // Who refuses to say what they can doesn't take files.
            Err(error) if error.code() == Code::StanzaError => {}
            Err(error) => failed = Some(error),
        }
        let lookup = self.under_way.get_mut(place)?;
        lookup.open = (lookup.open + asked).saturating_sub(1);
        lookup.failed = failed.or(lookup.failed.take());
        if service.is_none() && lookup.open > 0 {
            return None;
        }
        // The first who does will do.
        let lookup = self.under_way.swap_remove(place);
        let outcome = match (service, lookup.failed) {
            (None, Some(error)) => Err(error),
            (service, _) => Ok(service),
        };
        self.questions.retain(|question| question.named != lookup.named);
        if let Ok(service) = &outcome {
            self.known.push((lookup.named.clone(), service.clone()));
        }
        Some((lookup.named, lookup.waiting, outcome))
    }
}

/// What somebody is that takes files; nothing where they don't.
fn read(address: Jid, answer: Option<&Element>) -> Option<UploadService> {
    let info = DiscoInfo::read(answer?, None).ok()?;
    let mut forms = info.forms.iter();
    let form = forms.find(|form| form.form_type() == Some(UPLOAD));
    let max_size = form.and_then(|form| match &form.field("max-file-size")?.value {
        FieldValue::Text(text) => whole(text),
        _ => None,
    });
    info.supports(UPLOAD).then(|| UploadService {
        jid: address.as_str().to_owned(),
        max_size,
        address,
    })
}

/// Whom a server has, itself apart.
fn items(answer: Option<&Element>, server: &Jid) -> Vec<Jid> {
    let mut jids = Vec::new();
    let query = answer.filter(|answer| answer.is("query", ITEMS));
    for item in query.into_iter().flat_map(|query| query.all("item", ITEMS)) {
        if let Some(jid) = item.attr("jid").and_then(|jid| Jid::parse(jid).ok())
            && item.attr("node").is_none()
            && jid != *server
            && !jids.contains(&jid)
            && jids.len() < MOST
        {
            jids.push(jid);
        }
    }
    jids
}
