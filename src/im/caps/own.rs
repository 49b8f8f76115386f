//! What this client says of itself: worked out once, when it is made.

use super::hash::{self, Method};
use super::{CAPS, CAPS_2, HASHES};
use crate::im::disco::INFO;
use crate::im::last_activity::LAST;
use crate::im::receipts::RECEIPTS;
use crate::im::{Config, DISCO};
use crate::xml::Element;

/// XEP-0115 §4: which software it is.
const SOFTWARE: &str = "urn:stanzawire";

/// What this client can.
#[derive(Debug)]
pub struct Own {
    /// As it is told to who asks.
    info: Element,
    /// By which nodes it can be asked.
    nodes: [String; 2],
    /// What stands in each presence.
    marks: [Element; 2],
}

impl Own {
    /// What all features say together, and the app.
    pub fn new(config: &Config) -> Own {
        let identity = Element::new("identity", INFO)
            .with_attr("category", "client")
            .with_attr("type", "web")
            .with_attr("name", config.software.name.as_str());
        let mut info = Element::new("query", INFO).with_child(identity);
        // XEP-0115 §5.4: none of them twice.
        let mut features = DISCO.concat();
        // What is switched off isn't answered.
        let off = [(LAST, config.last_activity), (RECEIPTS, config.receipts)];
        features.retain(|feature| !off.contains(&(*feature, false)));
        features.extend(config.features.iter().map(String::as_str));
        features.sort_unstable();
        features.dedup();
        for feature in features {
            info = info.with_child(Element::new("feature", INFO).with_attr("var", feature));
        }
        // The app's features and its name have been looked at: there is a hash.
        let hash = |method| hash::of(method, &info).map_or_else(String::new, |(hash, _)| hash);
        let (first, second) = (hash(Method::First), hash(Method::Second));
        let nodes = [
            [SOFTWARE, "#", &first].concat(),
            ["urn:xmpp:caps#sha-256.", &second].concat(),
        ];
        let sha_256 = Element::new("hash", HASHES)
            .with_attr("algo", "sha-256")
            .with_text(second);
        let marks = [
            Element::new("c", CAPS)
                .with_attr("hash", "sha-1")
                .with_attr("node", SOFTWARE)
                .with_attr("ver", first),
            Element::new("c", CAPS_2).with_child(sha_256),
        ];
        Own { info, nodes, marks }
    }

    /// The answer to who asks what this client can; none where they ask for a node that isn't there.
    pub fn info(&self, node: Option<&str>) -> Option<Element> {
        self.has_node(node).then(|| self.info.clone().with_opt_attr("node", node))
    }

    /// Whether it is this client that is asked for, not a node that isn't there.
    pub fn has_node(&self, node: Option<&str>) -> bool {
        node.is_none_or(|node| self.nodes.iter().any(|known| known == node))
    }

    /// Puts the hashes into a presence. They belong into each that says that this client is there, whoever it is for.
    #[must_use]
    pub fn mark(&self, presence: Element) -> Element {
        let [first, second] = self.marks.clone();
        presence.with_child(first).with_child(second)
    }

    /// Something that is another where this client can something else.
    pub fn id(&self) -> &str {
        &self.nodes[1]
    }
}
