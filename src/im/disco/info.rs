//! What somebody says of themselves.

use super::INFO;
use crate::error::Error;
use crate::im::forms::{DataForm, FORMS};
use crate::im::pubsub::violation;
use crate::xml::Element;
use serde::Serialize;

/// What somebody is, and can.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DiscoInfo {
    /// Of which node that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What they are.
    pub identities: Vec<DiscoIdentity>,
    /// What they can.
    pub features: Vec<String>,
    /// What else they say (XEP-0128).
    pub forms: Vec<DataForm>,
}

/// What somebody is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DiscoIdentity {
    /// Such as `client`.
    pub category: String,
    /// Such as `web`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

impl DiscoInfo {
    /// Reads an answer to the question for that node.
    ///
    /// # Errors
    /// `protocol-violation` for anything else.
    pub(in crate::im) fn read(answer: &Element, node: Option<&str>) -> Result<DiscoInfo, Error> {
        // XEP-0030 §3.2: it is the node that was asked for. Not all say so.
        if !answer.is("query", INFO) || answer.attr("node").is_some_and(|of| Some(of) != node) {
            return Err(violation("the question what somebody can was answered with something else"));
        }
        let mut info = DiscoInfo {
            node: node.map(str::to_owned),
            identities: Vec::new(),
            features: Vec::new(),
            forms: Vec::new(),
        };
        let text = |attr: &str| attr.to_owned();
        for child in answer.children() {
            if child.is("identity", INFO) {
                // §3.1: both must be there.
                let (Some(category), Some(kind)) = (child.attr("category"), child.attr("type")) else {
                    return Err(violation("somebody says that they are something without a category or a type"));
                };
                info.identities.push(DiscoIdentity {
                    category: text(category),
                    kind: text(kind),
                    name: child.attr("name").map(text),
                    lang: child.attr("xml:lang").or_else(|| answer.attr("xml:lang")).map(text),
                });
            } else if child.is("feature", INFO) {
                let feature = child.attr("var");
                info.features
                    .push(text(feature.ok_or_else(|| violation("somebody supports a feature without a name"))?));
            } else if child.is("x", FORMS) {
                info.forms.push(DataForm::read(child)?);
            }
        }
        Ok(info)
    }

    /// Whether a feature is among them.
    pub fn supports(&self, feature: &str) -> bool {
        // §3.1: who answers supports that.
        feature == INFO || self.features.iter().any(|known| known == feature)
    }
}
