//! Whole numbers in decimal. `core::fmt` would do as well, and be a hundredth of the wasm: nothing else there needs it.

/// The number's digits, with a sign where it is below zero.
pub(crate) fn decimal(number: i64) -> String {
    let mut digits = String::new();
    if number < 0 {
        digits.push('-');
    }
    push(&mut digits, number.unsigned_abs());
    digits
}

fn push(digits: &mut String, number: u64) {
    if number >= 10 {
        push(digits, number / 10);
    }
    digits.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_what_the_standard_library_does() {
        for number in [0, 7, 10, 404, 65_535, -1, -128, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
