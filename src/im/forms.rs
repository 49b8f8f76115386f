//! Data forms, XEP-0004 2.13.2 (30 August 2024), with the form types of XEP-0068 1.3.0.

use crate::xml::Element;

/// The namespace of forms.
pub(super) const FORMS: &str = "jabber:x:data";

/// A form that is submitted, of that type: its fields are added by [`field`].
pub(super) fn submit(form_type: &str) -> Element {
    let form_type = field("FORM_TYPE", &[form_type]).with_attr("type", "hidden");
    Element::new("x", FORMS)
        .with_attr("type", "submit")
        .with_child(form_type)
}

/// A field of a form that is submitted.
pub(super) fn field(name: &str, values: &[impl AsRef<str>]) -> Element {
    let mut field = Element::new("field", FORMS).with_attr("var", name);
    for value in values {
        field = field.with_child(Element::new("value", FORMS).with_text(value.as_ref()));
    }
    field
}
