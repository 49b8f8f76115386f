//! Unicode from the JavaScript engine, of the version that the engine follows.

use super::Set;
use js_sys::{JsString, RegExp};

/// Normalization Form C.
pub(crate) fn nfc(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}

/// Normalization Form KC.
pub(crate) fn nfkc(text: &str) -> String {
    JsString::from(text).normalize("NFKC").into()
}

/// The default lowercase mapping, without regard to language.
pub(crate) fn lowercase(text: &str) -> String {
    JsString::from(text).to_lower_case().into()
}

/// See [`super::find`]. The engine keeps compiled expressions by their text, so none is kept here.
pub(super) fn find(text: &str, set: Set) -> Option<char> {
    let pattern = match set {
        Set::NotWord => r"[^\0-\x7F\p{L}\p{Nd}\p{Mn}\p{Mc}]",
        Set::Hidden => r"[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]",
        Set::Mark => r"\p{M}",
    };
    let pattern = RegExp::new(pattern, "u");
    // One call settles the usual case; only where there is one to name is it looked for.
    if !pattern.test(text) {
        return None;
    }
    text.chars().find(|c| pattern.test(c.encode_utf8(&mut [0; 4])))
}
