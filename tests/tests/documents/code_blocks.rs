//! The code blocks of every document are compiled.

use crate::{documents, read};

#[test]
fn every_document_with_code_is_compiled() {
    let compiled = read("tests/src/lib.rs");
    for document in documents() {
        if read(&document).contains("```rust") {
            let include = format!("include_str!(\"../../{document}\")");
            assert!(
                compiled.contains(&include),
                "tests/src/lib.rs does not compile {document}: add `#[doc = {include}]`"
            );
        }
    }
}
