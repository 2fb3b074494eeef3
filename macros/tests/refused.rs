//! The compile errors of invalid uses of the attribute.

#[test]
fn invalid_uses_are_compile_errors_at_their_place() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("refused/*.rs");
}
