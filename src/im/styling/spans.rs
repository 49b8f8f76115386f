//! The spans of a line (§6.2).

use super::Span;

/// The signs, and what they make of what stands between two of them.
const SIGNS: [(char, &str); 4] = [('*', "strong"), ('_', "emphasis"), ('~', "strike"), ('`', "code")];

/// Where a sign stands that can end a span: by the place of each in the line, the next one from there on.
struct Ends {
    next: Vec<[u32; SIGNS.len()]>,
}

const NONE: u32 = u32::MAX;

/// The spans of a line.
pub(super) fn parse(line: &str) -> Vec<Span> {
    let chars: Vec<char> = line.chars().collect();
    let ends = Ends::of(&chars);
    spans(&chars, &ends, 0, chars.len())
}

impl Ends {
    fn of(chars: &[char]) -> Ends {
        let mut next = vec![[NONE; SIGNS.len()]; chars.len()];
        let mut last = [NONE; SIGNS.len()];
        for (place, entry) in next.iter_mut().enumerate().rev() {
            let sign = chars.get(place).and_then(|c| sign_of(*c));
            // §6.2: not behind white space.
            let before = place.checked_sub(1).and_then(|before| chars.get(before));
            if let (Some(sign), Some(before)) = (sign, before)
                && !before.is_whitespace()
                && let (Some(last), Ok(place)) = (last.get_mut(sign), u32::try_from(place))
            {
                *last = place;
            }
            *entry = last;
        }
        Ends { next }
    }

    /// The first place from there on, and before the end, where a span of that sign can end.
    fn find(&self, sign: usize, from: usize, end: usize) -> Option<usize> {
        let place = *self.next.get(from)?.get(sign)? as usize;
        (place < end).then_some(place)
    }
}

fn sign_of(c: char) -> Option<usize> {
    SIGNS.iter().position(|(sign, _)| *sign == c)
}

/// The spans from one place to another. Spans can stand in each other as often as there are signs, and no more: a sign that
/// ends one has none of its kind before it in there that could.
fn spans(chars: &[char], ends: &Ends, start: usize, end: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut plain, mut place) = (start, start);
    while place < end {
        let Some((sign, close)) = span_at(chars, ends, start, place, end) else {
            place += 1;
            continue;
        };
        push_text(&mut spans, chars, plain, place);
        let kind = SIGNS.get(sign).map_or("text", |(_, kind)| kind);
        let behind = close + 1;
        spans.push(if kind == "code" {
            // §6.2.5: nothing in it is styled.
            Span::text(kind, text(chars, place, behind))
        } else {
            let mut children = self::spans(chars, ends, place + 1, close);
            add_sign(&mut children, chars.get(place).copied(), true);
            add_sign(&mut children, chars.get(close).copied(), false);
            Span::of(kind, children)
        });
        (plain, place) = (behind, behind);
    }
    push_text(&mut spans, chars, plain, end);
    spans
}

/// The sign at this place, and where it ends, if a span begins here.
fn span_at(chars: &[char], ends: &Ends, start: usize, place: usize, end: usize) -> Option<(usize, usize)> {
    let sign = sign_of(*chars.get(place)?)?;
    // §6.2: at the beginning, behind white space, or right behind another sign that begins a span, which is where these
    // begin.
    let before = place.checked_sub(1).filter(|_| place > start).and_then(|before| chars.get(before));
    if before.is_some_and(|before| !before.is_whitespace()) {
        return None;
    }
    // Not before white space, nor before its own end: there has to be something in between.
    let next = *chars.get(place + 1)?;
    if next.is_whitespace() || sign_of(next) == Some(sign) {
        return None;
    }
    Some((sign, ends.find(sign, place + 1, end)?))
}

fn text(chars: &[char], start: usize, end: usize) -> String {
    chars.get(start..end).unwrap_or_default().iter().collect()
}

fn push_text(spans: &mut Vec<Span>, chars: &[char], start: usize, end: usize) {
    if start < end {
        spans.push(Span::text("text", text(chars, start, end)));
    }
}

/// Puts a sign before or behind what it styles, into the text there if that is one.
fn add_sign(children: &mut Vec<Span>, sign: Option<char>, first: bool) {
    let Some(sign) = sign else { return };
    let place = if first { 0 } else { children.len().saturating_sub(1) };
    let end = children.get_mut(place).filter(|child| child.kind == "text");
    match end.and_then(|child| child.text.as_mut()) {
        Some(text) if first => text.insert(0, sign),
        Some(text) => text.push(sign),
        None => {
            let place = if first { 0 } else { children.len() };
            children.insert(place, Span::text("text", sign));
        }
    }
}
