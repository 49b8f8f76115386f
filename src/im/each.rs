//! The features' functions, each by itself: were they all inlined where they are called one after the other, that would be one function
//! with a variable for each of theirs.

use super::{Ctx, Facts, Feature, Flow, Payload};
use crate::error::Error;
use crate::given::{Arg, Args};
use crate::session::{Ticket, Token};
use crate::xml::Element;

#[inline(never)]
pub(super) fn read<F: Feature, C>(name: &str, args: &mut Args, of: fn(F::Command) -> C) -> Result<C, Error> {
    F::read(name, args).map(of)
}

#[inline(never)]
pub(super) fn command<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>, ticket: Ticket, command: F::Command) {
    feature.command(cx, ticket, command);
}

#[inline(never)]
pub(super) fn on_binding<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>) {
    feature.on_binding(cx);
}

#[inline(never)]
pub(super) fn on_online<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>) {
    feature.on_online(cx);
}

#[inline(never)]
pub(super) fn on_stanza<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>, stanza: &Element) -> Flow {
    feature.on_stanza(cx, stanza)
}

#[inline(never)]
pub(super) fn on_resumed<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>, restored: bool, lost: bool) {
    feature.on_resumed(cx, restored, lost);
}

#[inline(never)]
pub(super) fn on_kept<F: Feature>(
    feature: &mut F,
    cx: &mut Ctx<'_>,
    message: &Element,
    result: &Result<Option<Element>, Error>,
) {
    feature.on_kept(cx, message, result);
}

#[inline(never)]
pub(super) fn save<F: Feature>(feature: &F, facts: &Facts) -> Option<String> {
    feature.save_with(facts)
}

pub(super) fn on_cancelled<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>, ticket: Ticket) {
    feature.on_cancelled(cx, ticket);
}

pub(super) fn on_wake<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>) {
    feature.on_wake(cx);
}

#[inline(never)]
pub(super) fn restore<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>, saved: &str) {
    feature.restore(cx, saved);
}

#[inline(never)]
pub(super) fn on_reply<F: Feature>(
    feature: &mut F,
    cx: &mut Ctx<'_>,
    token: Token,
    result: Result<Option<Element>, Error>,
) {
    feature.on_reply(cx, token, result);
}

#[inline(never)]
pub(super) fn on_timer<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>) {
    feature.on_timer(cx);
}

#[inline(never)]
pub(super) fn on_offline<F: Feature>(feature: &mut F, cx: &mut Ctx<'_>) {
    feature.on_offline(cx);
}

#[inline(never)]
pub(super) fn given<P: Payload>(message: &Arg, name: &'static str) -> Result<Option<P>, Error> {
    match present(message, name)? {
        Some(given) => P::given(&given).map(Some),
        None => Ok(None),
    }
}

#[inline(never)]
fn present(message: &Arg, name: &'static str) -> Result<Option<Arg>, Error> {
    message.field(name)?.given()
}

#[inline(never)]
pub(super) fn read_payload<P: Payload>(message: &Element) -> Option<P> {
    P::read(message)
}

#[inline(never)]
pub(super) fn write<P: Payload>(payload: &Option<P>, message: Element) -> Element {
    match payload {
        Some(payload) => payload.write(message),
        None => message,
    }
}
