//! Prefixes and constant labels.

use tachometer::{Counter, Registry};

#[test]
fn a_prefix_and_constant_labels_are_in_every_format_and_stay_off_other_handles() {
    let registry = Registry::new();
    let shop = registry
        .clone()
        .prefix("shop_")
        .unwrap()
        .labels([("region", "eu"), ("note", "a\"b\\")])
        .unwrap();
    let orders = shop
        .counter_family("orders_total", "Orders.", ["kind"])
        .unwrap();
    orders.with(["book"]).inc();
    orders.with(["book"]).inc();
    orders.with(["with \"quotes\""]).inc();
    shop.gauge("stock", "").unwrap().set(3);
    registry.counter("plain", "").unwrap().inc();

    let text = registry.export_prometheus();
    for line in [
        r#"shop_orders_total{region="eu",note="a\"b\\",kind="book"} 2"#,
        r#"shop_orders_total{region="eu",note="a\"b\\",kind="with \"quotes\""} 1"#,
        r#"shop_stock{region="eu",note="a\"b\\"} 3"#,
        "plain_total 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    // What the registry says of itself has the labels of the handle that reads.
    assert!(text.contains(r#"tachometer_series{metric="shop_orders_total"} 2"#));
    assert!(
        shop.export_prometheus().contains(
            r#"tachometer_series{region="eu",note="a\"b\\",metric="shop_orders_total"} 2"#
        )
    );
    // A name is found as it was given to that handle.
    assert!(shop.get("stock").is_some() && registry.get("shop_stock").is_some());
    assert!(registry.get("stock").is_none());
}

#[test]
fn prefixes_and_labels_add_up() {
    let registry = Registry::new();
    let inner = registry
        .clone()
        .prefix("a_")
        .unwrap()
        .labels([("x", "1")])
        .unwrap()
        .prefix("b_")
        .unwrap()
        .labels([("y", "2")])
        .unwrap();
    inner.counter("c_total", "").unwrap().inc();
    assert!(
        registry
            .export_prometheus()
            .contains(r#"a_b_c_total{x="1",y="2"} 1"#)
    );
}

#[test]
fn a_metric_made_by_itself_has_the_labels_of_each_registry_that_shows_it() {
    let hits = Counter::new();
    hits.inc();
    let (plain, europe) = (
        Registry::new(),
        Registry::new().labels([("region", "eu")]).unwrap(),
    );
    plain.register("hits_total", "", &hits).unwrap();
    europe.register("hits_total", "", &hits).unwrap();
    assert!(plain.export_prometheus().contains("\nhits_total 1\n"));
    assert!(
        europe
            .export_prometheus()
            .contains("\nhits_total{region=\"eu\"} 1\n")
    );
    europe.counter("hits_total", "").unwrap().inc();
    assert_eq!(hits.get(), 2.0);

    // As has one that came from a registry with constant labels.
    let asia = Registry::new().labels([("region", "asia")]).unwrap();
    let hits = europe.counter("hits_total", "").unwrap();
    asia.register("hits_total", "", &hits).unwrap();
    assert!(
        asia.export_prometheus()
            .contains("\nhits_total{region=\"asia\"} 2\n")
    );
}

#[test]
fn what_would_be_ambiguous_or_malformed_is_refused_with_the_remedy() {
    let registry = Registry::new();
    for prefix in ["9", "a-", "ä", "a b"] {
        let error = registry.clone().prefix(prefix).unwrap_err();
        assert!(error.is_invalid_name(), "{error}");
    }
    for name in ["", "le", "__x", "a:b"] {
        let error = registry.clone().labels([(name, "")]).unwrap_err();
        assert!(error.is_invalid_label(), "{error}");
    }
    // `tachometer_series` has it already, and no label may be there twice.
    let error = registry.clone().labels([("metric", "")]).unwrap_err();
    assert!(error.is_invalid_label() && error.to_string().contains("tachometer_series"));
    let twice = registry.clone().labels([("a", "1"), ("a", "2")]);
    assert!(twice.unwrap_err().is_invalid_label());

    let europe = registry.clone().labels([("region", "eu")]).unwrap();
    let error = europe.counter_family("c", "", ["region"]).unwrap_err();
    assert!(error.is_invalid_label(), "{error}");
    assert!(error.to_string().contains("region"), "{error}");

    europe.counter("c", "").unwrap();
    let error = registry.counter("c", "").unwrap_err();
    assert!(error.is_conflict(), "{error}");
}
