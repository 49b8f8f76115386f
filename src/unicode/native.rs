//! Unicode from crates, for tests and fuzzing on the developer's machine. Not in the wasm.

use super::Set;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Gc, GeneralCategoryGroup as Group, UnicodeGeneralCategory};

/// Normalization Form C.
pub(crate) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// Normalization Form KC.
pub(crate) fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

/// The default lowercase mapping, without regard to language.
pub(crate) fn lowercase(text: &str) -> String {
    text.to_lowercase()
}

/// See [`super::find`].
pub(super) fn find(text: &str, set: Set) -> Option<char> {
    text.chars().find(|c| match set {
        Set::NotWord => {
            !(c.is_ascii()
                || c.general_category_group() == Group::Letter
                || matches!(
                    c.general_category(),
                    Gc::DecimalNumber | Gc::NonspacingMark | Gc::SpacingMark
                ))
        }
        Set::Hidden => matches!(
            c.general_category(),
            Gc::Control | Gc::Format | Gc::PrivateUse | Gc::LineSeparator | Gc::ParagraphSeparator
        ),
        Set::Mark => c.general_category_group() == Group::Mark,
    })
}
