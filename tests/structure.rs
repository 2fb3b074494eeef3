//! The house's rules: which room may import which, and how.
//!
//! The table is that of `src/lib.rs`, "# Layout". An import that goes up, or
//! across to a sibling, makes a circle sooner or later; so it is refused here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and what it may import besides itself, `snapshot` and `error`.
const ROOMS: [(&str, &[&str]); 17] = [
    ("app", &["router", "middleware"]),
    ("testing", &["registry", "metric"]),
    (
        "router",
        &[
            "export",
            "dashboards",
            "system",
            "registry",
            "metric",
            "context",
        ],
    ),
    ("middleware", &["registry", "metric", "context"]),
    ("llm", &["registry", "metric", "context"]),
    ("system", &["registry"]),
    ("runtime", &["registry"]),
    ("timed", &["registry", "metric"]),
    ("export", &["registry", "encode"]),
    ("dashboards", &["registry", "metric"]),
    ("registry", &["metric"]),
    ("encode", &[]),
    ("metric", &["cell"]),
    ("cell", &[]),
    ("context", &[]),
    ("snapshot", &[]),
    ("error", &[]),
];
const FOR_ALL: [&str; 2] = ["snapshot", "error"];

/// Files above this are a sign that two ideas share one.
const LONGEST: usize = 400;

#[test]
fn every_import_goes_down_the_house() {
    let faults: Vec<_> = sources()
        .iter()
        .flat_map(|(path, text)| faults(path, text))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_room_is_in_the_table_and_the_table_names_no_other() {
    let rooms: BTreeSet<_> = sources().iter().map(|(path, _)| room(path)).collect();
    let known: BTreeSet<_> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, known);
}

#[test]
fn files_stay_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_test_that_the_documentation_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/security.md")).expect("the page is there");
    let spans: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    let mut named = 0;
    for (span, next) in spans.iter().zip(spans.iter().skip(1).chain(&[""])) {
        // A test of `tests/`, by its modules, or one that the next span says the file of.
        let (files, name) = match span.rsplit_once("::") {
            Some((modules, name))
                if name.contains('_') && !modules.contains(char::is_uppercase) =>
            {
                let path = format!("tests/{}", modules.replace("::", "/"));
                (vec![format!("{path}.rs"), format!("{path}/main.rs")], name)
            }
            None if next.starts_with("src/") && span.matches('_').count() > 3 => {
                (vec![(*next).to_owned()], *span)
            }
            _ => continue,
        };
        let texts = files
            .iter()
            .filter_map(|file| fs::read_to_string(root.join(file)).ok());
        let is_there = texts
            .into_iter()
            .any(|text| text.contains(&format!("fn {name}(")));
        assert!(
            is_there,
            "docs/security.md names {span:?}, which is no test"
        );
        named += 1;
    }
    assert!(named > 20, "{named}");
}

#[test]
fn the_rules_catch_what_they_are_there_for() {
    #[track_caller]
    fn check(path: &str, line: &str, fault: Option<&str>) {
        let found = faults(Path::new(path), line);
        assert_eq!(
            found.len(),
            usize::from(fault.is_some()),
            "{line}: {found:?}"
        );
        if let Some(fault) = fault {
            assert!(found[0].contains(fault), "{}", found[0]);
        }
    }
    check("metric/counter.rs", "use crate::cell::CounterCell;", None);
    check("metric/counter.rs", "use crate::error::Error;", None);
    check(
        "cell/counter.rs",
        "use crate::metric::Counter;",
        Some("may not import metric"),
    );
    check(
        "cell/counter.rs",
        "pub(crate) use crate::metric::Counter;",
        Some("may not import metric"),
    );
    check(
        "middleware/layer.rs",
        "use crate::router::metrics_router;",
        Some("may not import router"),
    );
    check(
        "registry/mod.rs",
        "use crate::Counter;",
        Some("through the root"),
    );
    check(
        "registry/mod.rs",
        "use crate::{metric, cell};",
        Some("through the root"),
    );
    check(
        "registry/mod.rs",
        "    let c = crate::metric::Counter::new();",
        Some("inline"),
    );
    check("registry/mod.rs", "    /// See [`crate::router`].", None);
    check(
        "registry/mod.rs",
        "    use super::super::router;",
        Some("upstairs"),
    );
    check("error.rs", "use super::metric;", Some("upstairs"));
    check(
        "registry/mod.rs",
        "use crate::metric::Counter;\nuse crate::metric::Gauge;",
        Some("twice"),
    );
}

/// Returns what breaks the rules in a file, whose path is relative to `src`.
fn faults(path: &Path, text: &str) -> Vec<String> {
    let room = room(path);
    let (_, allowed) = ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .expect("a known room");
    let is_file_of_its_own = path.components().count() == 1;
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut fault = |what: String| {
            faults.push(format!("{}:{}: {what}: {line}", path.display(), number + 1));
        };
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let upstairs = is_file_of_its_own && code.contains("super::") && code != "use super::*;";
        if code.contains("super::super") || upstairs {
            fault("an import from upstairs".into());
        }
        let import = code
            .find("use crate::")
            .filter(|&at| at == 0 || code.starts_with("pub"));
        let Some(at) = import else {
            if code.contains("crate::") && !code.contains("$crate::") {
                fault("an inline path; import it at the top".into());
            }
            continue;
        };
        let path = &code[at + "use crate::".len()..];
        let (target, _) = path.split_once("::").unwrap_or(("", path));
        let known = ROOMS.iter().any(|(room, _)| *room == target);
        if !known {
            fault("an import through the root; name the room".into());
        } else if target != room && !allowed.contains(&target) && !FOR_ALL.contains(&target) {
            fault(format!("{room} may not import {target}"));
        }
        let module = path.rsplit_once("::").map_or(path, |(module, _)| module);
        let module = module
            .split_once("::{")
            .map_or(module, |(module, _)| module);
        if !seen.insert(module.to_owned()) {
            fault(format!("{module} is imported twice; once is enough"));
        }
    }
    faults
}

/// Returns the room of a file: its folder under `src`, or its own name.
fn room(path: &Path) -> String {
    let first = path.components().next().expect("a path has a part");
    let name = Path::new(first.as_os_str()).with_extension("");
    name.to_string_lossy().into_owned()
}

/// Returns all source files but the roof, each with its path relative to `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("readable source");
                let path = path
                    .strip_prefix(&root)
                    .expect("a path under src")
                    .to_owned();
                files.push((path, text));
            }
        }
    }
    files.retain(|(path, _)| path != Path::new("lib.rs"));
    assert!(files.len() > 30, "only {} files found", files.len());
    files
}
