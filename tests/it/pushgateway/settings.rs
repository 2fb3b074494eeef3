//! Settings that are not valid.

use tachometer::push::Pushgateway;

#[test]
fn an_invalid_setting_is_an_error_that_names_it() {
    let new = || Pushgateway::new("http://h:9091", "backup");
    for (settings, text) in [
        (Pushgateway::new("h:9091", "j"), "`Pushgateway::new`"),
        (
            Pushgateway::new("http://u:secret@h", "j"),
            "`Pushgateway::new` has a user name",
        ),
        (Pushgateway::new("https://h", "j"), "`reqwest_client`"),
        (
            Pushgateway::new("http://h", ""),
            "the job of `Pushgateway::new` is empty",
        ),
        (
            new().grouping("job", "secret"),
            "the name \"job\" of `Pushgateway::grouping`",
        ),
        (
            new().grouping("a b", "secret"),
            "the name \"a b\" of `Pushgateway::grouping`",
        ),
        (
            new().header("a b", "secret"),
            "a header of `Pushgateway::header`",
        ),
        (
            new().header("content-type", "secret"),
            "a header of `Pushgateway::header`",
        ),
        (
            new().header("x", "secret\n"),
            "a header of `Pushgateway::header`",
        ),
        (
            new().basic_auth("u\n:", "secret"),
            "the user of `Pushgateway::basic_auth`",
        ),
    ] {
        let error = settings.build().unwrap_err();
        let message = error.to_string();
        assert!(error.is_invalid_push(), "{message}");
        assert!(
            message.contains(text) && !message.contains("secret"),
            "{message}"
        );
    }
    // The last value of a header counts, and credentials may have any characters.
    assert!(
        new()
            .basic_auth("ü", "\n")
            .header("x", "1")
            .header("x", "2")
            .build()
            .is_ok()
    );
}
