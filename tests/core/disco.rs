//! XEP-0030: what the client says of itself.

use crate::pair::{NS_CLIENT, Pair};
use stanzawire::im;

const INFO: &str = "http://jabber.org/protocol/disco#info";

#[test]
fn xep0030_3_1_the_client_tells_the_truth() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='d' from='bob@example.org/x'><query xmlns='{INFO}'/></iq>"
    ));
    let answer = pair.element();
    assert_eq!(
        (answer.attr("type"), answer.attr("to")),
        (Some("result"), Some("bob@example.org/x"))
    );
    let query = answer.child("query", INFO).unwrap();
    let identity = query.child("identity", INFO).unwrap();
    assert_eq!(
        (identity.attr("category"), identity.attr("type")),
        (Some("client"), Some("web"))
    );
    let told: Vec<&str> = query.children().filter_map(|child| child.attr("var")).collect();
    let mut listed: Vec<&str> = im::DISCO.iter().flat_map(|features| features.iter().copied()).collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(told, listed);
    assert!(told.contains(&INFO) && told.contains(&"urn:xmpp:ping"));
}

#[test]
fn xep0030_3_2_there_are_no_nodes() {
    let mut pair = Pair::online();
    pair.receive(&format!(
        "<iq xmlns='jabber:client' type='get' id='d' from='b@c/x'><query xmlns='{INFO}' node='n'/></iq>"
    ));
    let answer = pair.element();
    let error = answer.child("error", NS_CLIENT).unwrap();
    assert_eq!(error.children().next().unwrap().name(), "item-not-found");
}
