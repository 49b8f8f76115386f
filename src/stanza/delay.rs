//! Delayed delivery, XEP-0203 2.0: when a stanza was first sent, if that was not just now.

use crate::decimal::decimal;
use crate::xml::Element;

/// A point in time as XEP-0082 writes it, such as `2002-09-10T23:08:25Z`. JavaScript gets it as a `Date`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp(pub String);

impl Stamp {
    /// The text, where it is a time of XEP-0082 §3.2 on a day that exists.
    pub fn parse(text: &str) -> Option<Stamp> {
        let text = text.trim();
        let (date, time) = text.split_once('T')?;
        let [year, month, day] = numbers(date, '-')?;
        let days = days_of(year, month)?;
        let zone = time.find(['Z', '+', '-'])?;
        let (time, zone) = time.split_at_checked(zone)?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let [hour, minute, second] = numbers(time, ':')?;
        let zone = match zone.split_at_checked(1)? {
            ("Z", "") => Some([0, 0]),
            ("Z", _) => None,
            (_, zone) => numbers(zone, ':'),
        };
        let fits = date.len() == 10
            && (1..=days).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && (1..=9).contains(&fraction.len())
            && fraction.bytes().all(|digit| digit.is_ascii_digit())
            && zone.is_some_and(|[hours, minutes]| hours < 24 && minutes < 60);
        fits.then(|| Stamp(text.to_owned()))
    }

    /// So many milliseconds after the beginning of 1970, up to the end of 9999 (§3.1 has years of four digits); to the second.
    pub fn of(millis: u64) -> Option<Stamp> {
        let seconds = millis / 1_000;
        let mut days = seconds / 86_400;
        let (mut year, mut month) = (1970, 1);
        loop {
            let of_month = days_of(year, month)?.into();
            if days < of_month {
                break;
            }
            days -= of_month;
            (year, month) = if month < 12 { (year, month + 1) } else { (year + 1, 1) };
            if year > 9_999 {
                return None;
            }
        }
        let [hours, minutes] = [seconds / 3_600 % 24, seconds / 60 % 60];
        let two = |number: u64| two_digits(number as u32);
        let date = [&decimal(year.into()), "-", &two_digits(month), "-", &two(days + 1)].concat();
        let time = [&two(hours), ":", &two(minutes), ":", &two(seconds % 60)].concat();
        Some(Stamp([&date, "T", &time, "Z"].concat()))
    }
}

/// How many days a month has.
fn days_of(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => Some(28 + u32::from(leap)),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// A number below 100, in two digits.
pub(crate) fn two_digits(number: u32) -> String {
    let digits = decimal(number.into());
    if number < 10 { ["0", &digits].concat() } else { digits }
}

/// So many numbers of two digits, the first of which may have four.
fn numbers<const N: usize>(text: &str, between: char) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for number in &mut numbers {
        let part = parts.next()?;
        *number = match part.len() {
            2 | 4 if part.bytes().all(|digit| digit.is_ascii_digit()) => part.parse().ok()?,
            _ => return None,
        };
    }
    parts.next().is_none().then_some(numbers)
}

/// When the stanza was first sent, as far as it says. Nothing vouches for it: a sender can claim any time.
pub fn delay(stanza: &Element) -> Option<Stamp> {
    Stamp::parse(stanza.child("delay", "urn:xmpp:delay")?.attr("stamp")?)
}

#[cfg(not(target_arch = "wasm32"))]
impl serde::Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xep0082_3_2_times_on_days_that_exist() {
        for time in [
            "1969-07-21T02:56:15Z",
            "1969-07-20T21:56:15-05:00",
            "2024-02-29T23:59:59.123456Z",
            "2000-02-29T00:00:00+14:00",
        ] {
            assert!(Stamp::parse(time).is_some(), "{time}");
        }
        for time in [
            "",
            "1969-07-21",
            "1969-07-21T02:56:15",
            "1969-07-21 02:56:15Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-04-00T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:00Zulu",
            "2024-01-01T00:00:00+1",
            "24-01-01T00:00:00Z",
            "+024-01-01T00:00:00Z",
            "2024-01-01T00:00:00\u{661}Z",
        ] {
            assert!(Stamp::parse(time).is_none(), "{time}");
        }
    }
}
