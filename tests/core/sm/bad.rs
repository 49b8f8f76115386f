//! Servers that count wrongly, and those that don't count at all.

use super::{FIRST, SM, acknowledge, again, back, bodies, errors, online, online_with, resumed};
use crate::pair::{JID, Pair, config};
use stanzawire::engine::{Event, Input, Status};
use stanzawire::error::Code;

const BOB: &str = "bob@example.org";

/// The session is not trusted any more: it is left with a stream error, and a new one is bound.
fn left(pair: &mut Pair) {
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    assert!(
        pair.sent.iter().any(|frame| frame.contains("undefined-condition")),
        "{:?}",
        pair.sent
    );
    let Some(Event::Status(_, Some(error))) = pair.events.last() else {
        panic!("{:?}", pair.events.last())
    };
    assert_eq!(error.code(), Code::ProtocolViolation);
    again(pair);
    assert!(
        pair.sent.iter().all(|frame| !frame.starts_with("<resume")),
        "{:?}",
        pair.sent
    );
    pair.sent.retain(|frame| frame.contains("xmpp-bind"));
    pair.bind(JID);
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn xep0198_4_an_h_beyond_what_was_sent() {
    for h in [FIRST + 2, FIRST + 1_000, u32::MAX] {
        let mut pair = online();
        let call = pair.send(BOB, "1");
        pair.receive(&format!("<a xmlns='{SM}' h='{h}'/>"));
        assert!(pair.is_open(call), "it proves nothing");
        left(&mut pair);
    }
}

#[test]
fn xep0198_4_an_h_that_runs_backwards() {
    for h in [0, FIRST - 1] {
        let mut pair = online();
        pair.receive(&format!("<a xmlns='{SM}' h='{h}'/>"));
        left(&mut pair);
    }
}

#[test]
fn an_h_that_is_no_number_says_nothing() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    for h in ["", "-1", "x", "99999999999"] {
        pair.receive(&format!("<a xmlns='{SM}' h='{h}'/>"));
    }
    pair.receive(&format!("<a xmlns='{SM}'/>"));
    assert!(pair.is_open(call));
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(call).is_ok());
}

#[test]
fn a_resumption_that_counts_wrongly_or_is_somebody_elses() {
    for answer in [
        "previd='session-1' h='99'",
        "previd='session-1' h='1'",
        "previd='somebody-elses' h='2'",
    ] {
        let mut pair = online();
        let call = pair.send(BOB, "1");
        back(&mut pair);
        pair.sent.clear();
        pair.receive(&format!("<resumed xmlns='{SM}' {answer}/>"));
        assert_eq!(
            errors(&pair).first().map(|error| error.code()),
            Some(Code::ProtocolViolation),
            "{answer}"
        );
        assert!(pair.is_open(call));
        assert!(!pair.events.contains(&Event::Resumed { restored: false }));
        // The same attempt goes on, and binds.
        pair.sent.clear();
        pair.open_socket();
        super::login_up_to_features(&mut pair);
        pair.sent.retain(|frame| frame.contains("xmpp-bind"));
        pair.bind(JID);
        assert_eq!(pair.engine.status(), Status::Online, "{answer}");
    }
}

#[test]
fn a_server_that_acknowledges_nothing_fills_the_queue_and_no_more() {
    let mut config = config();
    // The roster's answer is still to come.
    config.session.queue = 6;
    let mut pair = online_with(config);
    let calls: Vec<_> = (0..7).map(|n| pair.send(BOB, &n.to_string())).collect();
    assert!(calls[..5].iter().all(|call| pair.is_open(*call)));
    for call in &calls[5..] {
        assert_eq!(pair.error(*call).code(), Code::QueueFull);
    }
    // It is there, though, and says so when it is asked by a ping: there is no reason to leave it.
    for _ in 0..30 {
        pair.advance(4_000);
        pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
        while let Some(frame) = pair.sent.pop_front() {
            if frame.contains("urn:xmpp:ping") {
                let ping = stanzawire::xml::read(&frame, &stanzawire::xml::Limits::default()).unwrap();
                pair.answer(&ping, "");
            }
        }
    }
    assert_eq!(pair.engine.status(), Status::Online);
    assert!(calls[..5].iter().all(|call| pair.is_open(*call)));
    acknowledge(&mut pair, FIRST + 5);
    assert!(pair.reply(calls[4]).is_ok());
}

#[test]
fn words_out_of_their_turn_mean_nothing() {
    let mut pair = online();
    for word in [
        "<enabled id='other' resume='true'",
        "<failed",
        "<resumed previd='session-1' h='0'",
        "<other",
    ] {
        pair.receive(&format!("{word} xmlns='{SM}'/>"));
    }
    assert_eq!(pair.engine.status(), Status::Online);
    let call = pair.send(BOB, "1");
    back(&mut pair);
    pair.sent.clear();
    resumed(&mut pair, FIRST);
    assert_eq!(bodies(&mut pair), ["1"]);
    assert!(pair.is_open(call));
}

#[test]
fn a_server_that_is_gone_is_noticed_with_traffic() {
    let mut pair = online();
    pair.send(BOB, "1");
    pair.advance(4_799);
    assert_eq!(pair.engine.status(), Status::Online);
    pair.advance(1);
    assert_eq!(pair.engine.status(), Status::Reconnecting, "no answer to <r/>");
}

#[test]
fn a_server_that_is_gone_is_noticed_without_traffic() {
    let mut config = config();
    config.session.silence = 3_000;
    let mut pair = online_with(config);
    pair.advance(2_999);
    pair.nothing_sent();
    pair.advance(1);
    assert!(pair.element().is("r", SM));
    pair.advance(4_800);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
}

#[test]
fn a_page_that_nobody_sees_asks_seldom() {
    let mut config = config();
    config.session.silence = 3_000;
    let mut pair = online_with(config);
    pair.handle(Input::Visible(false));
    pair.sent.clear();
    pair.advance(49_999);
    pair.nothing_sent();
    pair.advance(1);
    assert!(pair.element().is("r", SM));
}

#[test]
fn a_suspicion_is_looked_into_at_once() {
    for input in [
        Input::Visible(true),
        Input::PageShown,
        Input::ClockJumped,
        Input::Network { online: true },
    ] {
        let mut pair = online();
        pair.advance(1_500);
        let name = format!("{input:?}");
        pair.handle(input);
        assert_eq!(pair.engine.status(), Status::Verifying, "{name}");
        pair.sent.retain(|frame| !frame.contains("csi"));
        assert!(pair.element().is("r", SM), "{name}");
        // A machine that wakes says so in many ways.
        pair.handle(Input::PageShown);
        pair.handle(Input::Network { online: true });
        pair.handle(Input::ClockJumped);
        pair.nothing_sent();
        // What comes in may have been on its way for long.
        pair.receive("<presence xmlns='jabber:client' from='bob@example.org/x'/>");
        assert_eq!(pair.engine.status(), Status::Verifying, "{name}");
        acknowledge(&mut pair, FIRST);
        assert_eq!(pair.engine.status(), Status::Online, "{name}");
        pair.advance(1_500);
        pair.handle(Input::PageShown);
        pair.advance(4_800);
        assert_eq!(pair.engine.status(), Status::Reconnecting, "{name}");
    }
}

#[test]
fn after_the_network_was_gone_there_is_little_patience() {
    let mut pair = online();
    pair.handle(Input::Network { online: false });
    pair.advance(20_000);
    pair.sent.clear();
    pair.handle(Input::Network { online: true });
    assert!(pair.element().is("r", SM));
    pair.advance(600);
    assert_eq!(pair.engine.status(), Status::Reconnecting);
    pair.advance(1_000);
    assert!(pair.socket.is_some(), "within a second");
}

#[test]
fn a_timer_that_was_held_up_proves_nothing() {
    let mut pair = online();
    pair.send(BOB, "1");
    // The page was frozen: the answer waits to be read, behind the timer.
    pair.now = pair.now.after(60_000);
    pair.handle(Input::Deadline);
    assert_ne!(pair.engine.status(), Status::Reconnecting);
    acknowledge(&mut pair, FIRST + 1);
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn a_server_that_never_says_whether_it_counts_is_asked_by_pings() {
    let mut config = config();
    config.session.silence = 3_000;
    let mut pair = Pair::new(config);
    pair.connect();
    pair.open_socket();
    super::login(&mut pair);
    let call = pair.send(BOB, "1");
    let mut count = super::stanzas(&mut pair);
    assert!(pair.is_open(call));
    pair.advance(3_000);
    pair.confirm();
    assert!(pair.reply(call).is_ok(), "it has answered what was sent behind");
    // From then on it is asked at once.
    let call = pair.send(BOB, "2");
    assert!(pair.element().is("message", "jabber:client"));
    pair.confirm();
    assert!(pair.reply(call).is_ok());
    // And should it say so late, it has counted what it has answered.
    pair.receive(&format!("<enabled xmlns='{SM}' id='late' resume='true'/>"));
    let call = pair.send(BOB, "3");
    count += 2 + super::stanzas(&mut pair) + 1;
    acknowledge(&mut pair, count);
    assert!(pair.reply(call).is_ok());
    assert_eq!(pair.engine.status(), Status::Online);
}

#[test]
fn a_server_that_answers_and_takes_nothing_is_not_asked_in_a_circle() {
    let mut pair = online();
    let call = pair.send(BOB, "1");
    let mut asked = 0;
    for _ in 0..100 {
        if pair.sent.drain(..).any(|frame| frame.starts_with("<r ")) {
            asked += 1;
            pair.receive(&format!("<a xmlns='{SM}' h='{FIRST}'/>"));
        }
    }
    assert!(asked <= 2, "asked {asked} times in no time");
    // It is asked again all the same, before long.
    pair.advance(3_000);
    assert!(pair.sent.drain(..).any(|frame| frame.starts_with("<r ")));
    acknowledge(&mut pair, FIRST + 1);
    assert!(pair.reply(call).is_ok());
}

#[test]
fn suspicions_again_and_again_do_not_put_the_end_off() {
    let mut pair = online();
    for _ in 0..4 {
        pair.advance(2_000);
        pair.handle(Input::Visible(false));
        pair.handle(Input::Visible(true));
    }
    assert_eq!(
        pair.engine.status(),
        Status::Reconnecting,
        "nobody has answered for six seconds"
    );
}

#[test]
fn after_the_network_was_gone_an_idle_client_is_back_within_a_second_too() {
    for seed in 0..20 {
        let mut config = config();
        config.session.reconnect = Some(Default::default());
        let mut pair = Pair::seeded(config, seed);
        pair.connect();
        pair.open_socket();
        super::login(&mut pair);
        super::enabled(&mut pair, "session-1");
        // Used long ago.
        for _ in 0..60 {
            pair.advance(2_000);
            if pair.sent.drain(..).any(|frame| frame.starts_with("<r ")) {
                acknowledge(&mut pair, FIRST);
            }
        }
        let before = pair.generation();
        pair.handle(Input::Network { online: false });
        pair.advance(2_000);
        pair.handle(Input::Network { online: true });
        pair.advance(1_000);
        let after = pair.socket.as_ref().map(|(generation, _)| *generation);
        assert!(after.is_some_and(|after| after > before), "seed {seed}");
    }
}

#[test]
fn a_server_that_asks_and_asks_and_takes_no_answer_is_left() {
    let mut config = config();
    config.session.queue = 10;
    config.session.silence = 3_000;
    let mut pair = online_with(config);
    let call = pair.send(BOB, "1");
    for n in 0..15_000 {
        pair.receive(&format!(
            "<iq xmlns='jabber:client' type='get' id='{n}' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
        if pair.sent.drain(..).any(|frame| frame.starts_with("<r ")) {
            pair.receive(&format!("<a xmlns='{SM}' h='{FIRST}'/>"));
        }
    }
    pair.advance(3_000);
    assert_eq!(
        pair.engine.status(),
        Status::Reconnecting,
        "nobody keeps 15,000 answers"
    );
    assert!(pair.is_open(call));
    again(&mut pair);
    assert!(pair.sent.iter().all(|frame| !frame.starts_with("<resume")));
}
