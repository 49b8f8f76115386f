//! The table of addresses and passwords, against the Unicode of the browser.

use wasm_bindgen_test::*;

#[path = "../unicode_cases.rs"]
mod unicode_cases;

#[wasm_bindgen_test]
fn the_table_of_cases_holds() {
    let failures = unicode_cases::failures();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
