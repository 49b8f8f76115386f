//! The server's two messages, read by the grammar of RFC 5802 §7. Nothing is computed here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;

/// The longest message taken, in bytes. Real ones are about a hundred.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// The longest salt taken, in bytes once decoded. Real ones have 8 to 64.
pub(in crate::sasl) const MAX_SALT: usize = 1024;

/// `server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]`
pub(super) struct ServerFirst<'a> {
    /// The message itself, as it goes into the AuthMessage.
    pub(super) text: &'a str,
    /// The client's nonce and the server's part together; printable, not yet compared with ours.
    pub(super) nonce: &'a str,
    /// Not empty, and at most [`MAX_SALT`].
    pub(super) salt: Vec<u8>,
    /// Positive; a number beyond 32 bits is `u32::MAX`.
    pub(super) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, ScramError> {
        let text = text(message)?;
        let mut attributes = Attributes(Some(text));
        // RFC 5802 §5.1: the order of these three is fixed.
        let nonce = attributes.required(b'r', "the challenge has no nonce where it belongs")?;
        let salt = attributes.required(b's', "the challenge has no salt where it belongs")?;
        let count = attributes.required(b'i', "the challenge has no iteration count where it belongs")?;
        attributes.skip_extensions()?;
        // RFC 5802 §7: printable = %x21-2B / %x2D-7E; a comma has ended the attribute already.
        if !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ScramError::Malformed("the server's nonce is not printable ASCII"));
        }
        let salt = STANDARD
            .decode(salt)
            .map_err(|_| ScramError::Malformed("the salt is not base64"))?;
        if salt.is_empty() {
            return Err(ScramError::EmptySalt);
        }
        if salt.len() > MAX_SALT {
            return Err(ScramError::Malformed("the salt is too long"));
        }
        Ok(ServerFirst {
            text,
            nonce,
            salt,
            iterations: positive(count)?,
        })
    }
}

/// `server-final-message = (server-error / verifier) ["," extensions]`, as the signature or an error.
pub(super) fn server_final(message: &[u8]) -> Result<Vec<u8>, ScramError> {
    let text = text(message)?;
    if text.is_empty() {
        return Err(ScramError::SignatureMissing);
    }
    let mut attributes = Attributes(Some(text));
    let first = attributes.next().transpose()?;
    attributes.skip_extensions()?;
    match first {
        Some((b'e', value)) if !value.is_empty() => Err(ScramError::ServerError(value.to_owned())),
        // What doesn't decode is no signature of ours either.
        Some((b'v', value)) if !value.is_empty() => STANDARD.decode(value).map_err(|_| ScramError::SignatureWrong),
        _ => Err(ScramError::SignatureMissing),
    }
}

/// The values of all the extensions of that name in a server-first-message that has been read before.
pub(super) fn extensions(server_first: &str, name: u8) -> impl Iterator<Item = &str> {
    // Behind nonce, salt and iteration count.
    Attributes(Some(server_first))
        .skip(3)
        .filter_map(move |attribute| attribute.ok().filter(|a| a.0 == name))
        .map(|a| a.1)
}

fn text(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > MAX_MESSAGE {
        return Err(ScramError::Malformed("the server's message is too long"));
    }
    // RFC 5802 §5.1: messages are UTF-8. §7: value-char leaves NUL out.
    match std::str::from_utf8(message) {
        Ok(text) if !message.contains(&0) => Ok(text),
        _ => Err(ScramError::Malformed("the server's message is not UTF-8 text")),
    }
}

/// What is left of a message; `None` behind its last attribute. Each is a letter, "=" and a value (RFC 5802 §5.1).
struct Attributes<'a>(Option<&'a str>);

impl<'a> Attributes<'a> {
    fn required(&mut self, name: u8, otherwise: &'static str) -> Result<&'a str, ScramError> {
        match self.next().transpose()? {
            Some((found, value)) if found == name => Ok(value),
            _ => Err(ScramError::Malformed(otherwise)),
        }
    }

    /// RFC 5802 §5.1: unknown optional attributes are ignored, whatever they mean; they still have to be attributes.
    fn skip_extensions(&mut self) -> Result<(), ScramError> {
        for attribute in self {
            if attribute?.1.is_empty() {
                return Err(ScramError::Malformed("an attribute has no value"));
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u8, &'a str), ScramError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.take()?;
        let attribute = match rest.split_once(',') {
            Some((attribute, rest)) => {
                self.0 = Some(rest);
                attribute
            }
            None => rest,
        };
        Some(
            match attribute.split_once('=').map(|(name, value)| (name.as_bytes(), value)) {
                // RFC 5802 §5.1: its mere presence, anywhere, makes the authentication fail.
                Some(([b'm'], _)) => Err(ScramError::MandatoryExtension),
                Some(([name], value)) if name.is_ascii_alphabetic() => Ok((*name, value)),
                _ => Err(ScramError::Malformed("the server's message is not made of attributes")),
            },
        )
    }
}

/// RFC 5802 §7: `posit-number = %x31-39 *DIGIT`.
fn positive(digits: &str) -> Result<u32, ScramError> {
    if !matches!(digits.as_bytes(), [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit)) {
        return Err(ScramError::Malformed("the iteration count is not a positive number"));
    }
    // Nothing but overflow is left to fail.
    Ok(digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]
mod tests {
    use super::*;

    #[test]
    fn rfc5802_7_posit_number() {
        for (digits, value) in [
            ("1", 1),
            ("4096", 4096),
            ("4294967295", u32::MAX),
            ("4294967296", u32::MAX),
            ("99999999999999999999999", u32::MAX),
        ] {
            assert_eq!(positive(digits), Ok(value), "{digits}");
        }
        for digits in ["", "0", "04096", "+4096", "-1", " 1", "1 ", "1e4", "0x10", "1.0", "٤"] {
            assert!(matches!(positive(digits), Err(ScramError::Malformed(_))), "{digits}");
        }
    }

    #[test]
    fn extensions_are_found_behind_the_required_attributes() {
        let message = "r=abc,s=QSXCR+Q6sek8bf92,i=4096,x=1=2,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,h=second";
        let all = |name| extensions(message, name).collect::<Vec<_>>();
        assert_eq!(all(b'h'), ["G6k/rBLDqgOhRRaCuuatSDFkJ08=", "second"]);
        assert_eq!(all(b'x'), ["1=2"]);
        assert!(all(b'y').is_empty());
        assert!(all(b'r').is_empty());
    }
}
