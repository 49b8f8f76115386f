//! XEP-0447, XEP-0446 and XEP-0300, both ways.

use crate::chat::{said, taken};
use crate::pair::Pair;
use serde_json::{Value, json};
use stanzawire::error::Code;

const SHARING: &str = "urn:xmpp:sfs:0";
const METADATA: &str = "urn:xmpp:file:metadata:0";
const BOB: &str = "bob@example.org/x";
const HASH: &str = "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>2XarmwTlNxDAMkvymloX3S5+VbylNrJt/l5QyPa+YoU=</hash>";

/// A file with this metadata and these sources.
fn sharing(metadata: &str, sources: &str) -> String {
    format!(
        "<file-sharing xmlns='{SHARING}' disposition='inline' id='f1'><file xmlns='{METADATA}'>{metadata}</file>\
         <sources>{sources}</sources></file-sharing>"
    )
}

fn source(url: &str) -> String {
    format!("<url-data xmlns='http://jabber.org/protocol/url-data' target='{url}'/>")
}

/// What is told of a file.
fn told(metadata: &str, sources: &str) -> Value {
    let mut pair = Pair::online();
    pair.receive(&said(BOB, "chat", "m1", &sharing(metadata, sources)));
    pair.told("message")[0]["files"][0].clone()
}

#[test]
fn xep0447_3_1_a_file_goes_out_and_comes_in() {
    let mut pair = Pair::online();
    let value: Vec<u8> = (0..32).collect();
    let file = json!({
        "name": "summit.jpg", "type": "image/jpeg", "size": 3_032_449, "desc": "The summit", "width": 4096, "height": 2160, "length": 63_000,
        "date": { "$date": "2015-07-26T21:46:00Z" }, "disposition": "inline", "id": "f1",
        "hashes": [{ "algo": "sha-256", "value": { "$bytes": value } }],
        "thumbnails": [{ "uri": "data:image/png;base64,AA", "type": "image/png", "width": 128, "height": 96 }, { "uri": "cid:x" }],
        "urls": ["https://example.org/summit.jpg"],
        "sources": [{ "name": "jinglepub", "attrs": { "xmlns": "urn:xmpp:jinglepub:1", "id": "j1" }, "children": [] }],
    });
    let init = json!([{ "to": BOB, "files": [file, {}] }]);
    let (message, _) = taken(&mut pair, "send", init);
    // Without a text: so that it is kept.
    assert!(message.child("store", "urn:xmpp:hints").is_some());
    let sharing = message.child("file-sharing", SHARING).unwrap();
    let metadata = sharing.child("file", METADATA).unwrap();
    assert_eq!(
        metadata.child_text("media-type", METADATA).as_deref(),
        Some("image/jpeg")
    );
    assert_eq!(metadata.child_text("size", METADATA).as_deref(), Some("3032449"));
    let hash = metadata.child("hash", "urn:xmpp:hashes:2").unwrap();
    assert_eq!(
        (hash.attr("algo"), hash.text().as_str()),
        (Some("sha-256"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    );
    // It comes in as it went out.
    let content: String = message
        .children()
        .filter(|child| child.is("file-sharing", SHARING))
        .map(|child| stanzawire::xml::write(child).unwrap())
        .collect();
    pair.receive(&said(BOB, "chat", "m1", &content));
    let files = &pair.told("message")[0]["files"];
    let mut expected = file.clone();
    expected["date"] = json!("2015-07-26T21:46:00Z");
    expected["hashes"][0]["value"] = json!(value);
    for name in [
        "name",
        "type",
        "size",
        "desc",
        "width",
        "height",
        "length",
        "date",
        "disposition",
        "id",
        "hashes",
        "thumbnails",
        "urls",
    ] {
        assert_eq!(files[0][name], expected[name], "{name}");
    }
    assert!(files[0]["sources"].as_array().unwrap().len() == 1);
    assert_eq!(files[1], json!({}));
}

#[test]
fn xep0447_3_1_with_a_text_or_a_hint_nothing_is_added() {
    let mut pair = Pair::online();
    for more in [
        json!({ "body": "x" }),
        json!({ "hints": ["no-store"] }),
        json!({ "hints": ["no-permanent-store"] }),
    ] {
        let mut init = json!({ "to": BOB, "files": [{ "name": "a" }] });
        init.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (message, _) = taken(&mut pair, "send", json!([init]));
        assert!(message.child("store", "urn:xmpp:hints").is_none());
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let mut pair = Pair::online();
    for wrong in [
        json!("a.txt"),
        json!(["a.txt"]),
        json!([{ "name": 1 }]),
        json!([{ "size": -1 }]),
        json!([{ "size": 1.5 }]),
        json!([{ "size": "1" }]),
        json!([{ "date": "2015-07-26T21:46:00Z" }]),
        json!([{ "disposition": "download" }]),
        json!([{ "hashes": [{ "algo": "sha-256" }] }]),
        json!([{ "hashes": [{ "value": { "$bytes": [1] } }] }]),
        json!([{ "hashes": [{ "algo": "sha-256", "value": "AA==" }] }]),
        json!([{ "thumbnails": [{}] }]),
        json!([{ "urls": ["a.txt"] }]),
        json!([{ "urls": "https://example.org" }]),
        json!([{ "sources": [{ "name": "a", "attrs": {}, "children": [] }] }]),
    ] {
        let init = json!([{ "to": BOB, "files": wrong }]);
        assert_eq!(pair.try_im("send", init).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn xep0446_3_a_name_leads_nowhere() {
    for (name, told) in [
        ("a b.txt", "a b.txt"),
        ("../../.ssh/id", "..%2F..%2F.ssh%2Fid"),
        ("..\\a", "..%5Ca"),
        ("/etc/passwd", "%2Fetc%2Fpasswd"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("...", "..."),
    ] {
        assert_eq!(self::told(&format!("<name>{name}</name>"), "")["name"], told);
    }
}

#[test]
fn xep0447_6_without_a_hash_it_comes_by_an_encrypted_way() {
    let (plain, tls) = ("http://example.org/a", "https://example.org/a");
    let both = [source(plain), source(tls)].concat();
    let weak = "<hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>";
    let unknown = "<hash xmlns='urn:xmpp:hashes:2' algo='crc'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>";
    for metadata in [
        "",
        weak,
        unknown,
        "<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>=</hash>",
        "<hash xmlns='urn:x' algo='sha-256'>AAAA</hash>",
    ] {
        assert_eq!(told(metadata, &both)["urls"], json!([tls]), "{metadata}");
    }
    assert_eq!(told(HASH, &both)["urls"], json!([plain, tls]));
    assert_eq!(
        told("", &source("HTTPS://example.org/a"))["urls"],
        json!(["HTTPS://example.org/a"])
    );
    for wrong in ["ftp://example.org/a", "httpsx://example.org", "a.txt", ""] {
        assert_eq!(told("", &source(wrong))["urls"], json!(null), "{wrong}");
    }
}

#[test]
fn what_fits_no_type_is_left_out() {
    let file = told(
        "<name/><size>-1</size><width>x</width><height>9007199254740992</height><date>yesterday</date><thumbnail xmlns='urn:xmpp:thumbs:1'/>",
        "",
    );
    assert_eq!(file, json!({ "disposition": "inline", "id": "f1" }));
    assert_eq!(
        told("<size> 9007199254740991 </size>", "")["size"],
        json!(9_007_199_254_740_991_u64)
    );
    // XEP-0300 §3: one of each kind.
    assert_eq!(told(&HASH.repeat(2), "")["hashes"].as_array().unwrap().len(), 1);
    let mut pair = Pair::online();
    for ignored in [
        "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
        "<file-sharing xmlns='urn:x'><file xmlns='urn:xmpp:file:metadata:0'/></file-sharing>",
    ] {
        pair.receive(&said(BOB, "chat", "m1", ignored));
        assert_eq!(pair.messages(), []);
    }
    pair.receive(&said(BOB, "chat", "m1", &sharing("", "").replace("inline", "download")));
    assert_eq!(pair.told("message")[0]["files"], json!([{ "id": "f1" }]));
    pair.receive(&said(BOB, "error", "m1", &sharing("", "")));
    assert_eq!(pair.messages()[0].files, None);
}

#[test]
fn there_is_an_end_to_them() {
    let mut pair = Pair::online();
    let hashes: String = (0..30).map(|n| HASH.replace("sha-256", &format!("h{n}"))).collect();
    let thumbnails = "<thumbnail xmlns='urn:xmpp:thumbs:1' uri='a:b'/>".repeat(30);
    let one = sharing(
        &[hashes, thumbnails].concat(),
        &source("https://example.org").repeat(30),
    );
    pair.receive(&said(BOB, "chat", "m1", &one.repeat(30)));
    let told = pair.told("message");
    let files = told[0]["files"].as_array().unwrap();
    assert_eq!(files.len(), 20);
    for list in ["hashes", "thumbnails", "urls"] {
        assert_eq!(files[0][list].as_array().unwrap().len(), 20, "{list}");
    }
}
