//! The module structure: which module may import which, and how.
//!
//! The table is that of `src/lib.rs`, "# Layout". An import of a higher level, or of another
//! module of the same level, leads to import cycles. These tests reject it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and what it may import besides itself, `snapshot` and `error`.
const MODULES: [(&str, &[&str]); 20] = [
    ("guides", &[]),
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
    ("dashboards", &["registry", "metric", "encode"]),
    ("bridge", &["registry", "metric"]),
    ("push", &["registry", "metric", "encode", "context"]),
    ("registry", &["metric"]),
    ("encode", &[]),
    ("metric", &["cell"]),
    ("cell", &[]),
    ("context", &[]),
    ("snapshot", &[]),
    ("error", &[]),
];
/// What every module may import.
const COMMON: [&str; 2] = ["snapshot", "error"];

/// Each module of `llm`, and what it may import besides itself, `facts` and other modules of
/// the crate.
const LLM_MODULES: [(&str, &[&str]); 9] = [
    ("client", &["tower", "call", "request", "metrics"]),
    ("tower", &["call", "metrics", "settings", "cost"]),
    ("call", &["request", "response", "metrics"]),
    ("request", &["response"]),
    ("response", &["cost"]),
    ("metrics", &["settings", "cost"]),
    ("settings", &["cost"]),
    ("cost", &[]),
    ("facts", &[]),
];
/// What every module of `llm` may import.
const LLM_COMMON: &str = "facts";

/// Words that say nothing as the whole name of a file, type or function: pronouns, participles
/// and metaphors. As part of a name they can be fine.
const BANNED_NAMES: &str = "asked at beside besides came come dear door fate floor found given \
    go_on gone grid has held house is itself kept known lack lane lanes left lent life look \
    looked made makeshift meant memo met of own pieces rest room rooms said say says seen \
    seldom sheets taken tally tell tells told upstairs wanted within";

/// The most lines of a source file. A longer one usually holds two ideas.
const LONGEST: usize = 500;

#[test]
fn modules_import_only_lower_levels() {
    let violations: Vec<_> = sources()
        .iter()
        .flat_map(|(path, text)| [violations(path, text), llm_violations(path, text)].concat())
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn the_table_lists_exactly_the_modules_of_the_crate() {
    let modules: BTreeSet<_> = sources().iter().map(|(path, _)| module_of(path)).collect();
    let listed: BTreeSet<_> = MODULES
        .iter()
        .map(|(module, _)| (*module).to_owned())
        .collect();
    assert_eq!(modules, listed);
}

#[test]
fn the_table_of_llm_lists_exactly_its_modules() {
    let modules: BTreeSet<_> = sources()
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("llm").ok().map(module_of))
        .filter(|module| module != "mod")
        .collect();
    let listed: BTreeSet<_> = LLM_MODULES
        .iter()
        .map(|(module, _)| (*module).to_owned())
        .collect();
    assert_eq!(modules, listed);
}

#[test]
fn source_files_are_not_too_long() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_name_is_a_banned_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "macros/src", "tests", "benches", "examples"];
    let files = folders
        .iter()
        .flat_map(|folder| rust_files(&root.join(folder)));
    let violations: Vec<_> = files
        .flat_map(|(path, text)| {
            let path = path
                .strip_prefix(root)
                .expect("a path of the crate")
                .to_owned();
            banned_names(&path, &text)
        })
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn banned_names_are_recognized() {
    for (path, line, count) in [
        ("cell/lanes.rs", "", 1),
        ("told/mod.rs", "", 1),
        ("cell/sharded.rs", "pub(crate) struct Lanes<T> {", 1),
        ("a.rs", "    pub const fn of<T>(self) {}", 1),
        ("a.rs", "    async fn go_on(self) {}", 1),
        ("a.rs", "fn known_models() {}", 0),
        ("a.rs", "/// fn of()", 0),
        ("a.rs", "type Known = u8;", 1),
    ] {
        let violations = banned_names(Path::new(path), line);
        assert_eq!(violations.len(), count, "{path} {line}: {violations:?}");
    }
}

/// Returns the file and the name of each banned whole name.
fn banned_names(path: &Path, text: &str) -> Vec<String> {
    let is_banned = |name: &str| BANNED_NAMES.split_whitespace().any(|word| word == name);
    let mut names = Vec::new();
    for part in path.with_extension("").components() {
        names.push(part.as_os_str().to_string_lossy().into_owned());
    }
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let is_modifier = |word: &str| {
            word.starts_with("pub") || ["const", "async", "crate)", "super)"].contains(&word)
        };
        let Some(keyword) = words.find(|word| !is_modifier(word)) else {
            continue;
        };
        if ["fn", "struct", "enum", "trait", "type", "mod"].contains(&keyword) {
            let name = words.next().unwrap_or_default();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            names.push(name[..end.unwrap_or(name.len())].to_lowercase());
        }
    }
    names.retain(|name| is_banned(name));
    let path = path.display();
    names.iter().map(|name| format!("{path}: {name}")).collect()
}

#[test]
fn the_crate_forbids_unsafe_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = fs::read_to_string(path).expect("readable source");
    assert!(text.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn each_rule_reports_its_violation() {
    #[track_caller]
    fn check(path: &str, line: &str, violation: Option<&str>) {
        let reported = violations(Path::new(path), line);
        assert_eq!(
            reported.len(),
            usize::from(violation.is_some()),
            "{line}: {reported:?}"
        );
        if let Some(violation) = violation {
            assert!(reported[0].contains(violation), "{}", reported[0]);
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
        Some("`super` outside"),
    );
    check("error.rs", "use super::metric;", Some("`super` outside"));
    check(
        "registry/mod.rs",
        "use crate::metric::Counter;\nuse crate::metric::Gauge;",
        Some("two `use` items"),
    );
}

#[test]
fn each_rule_of_llm_reports_its_violation() {
    for (path, text, violation) in [
        ("llm/cost/price.rs", "use crate::llm::facts::Unit;", None),
        (
            "llm/call/http_call.rs",
            "use crate::context::UserClosure;",
            None,
        ),
        ("llm/mod.rs", "pub use call::LlmCall;", None),
        (
            "llm/cost/price.rs",
            "use crate::llm::call::LlmCall;",
            Some("llm::cost may not import llm::call"),
        ),
        (
            "llm/metrics/families.rs",
            "use crate::llm::response::headers::read_headers;",
            Some("llm::metrics may not import llm::response"),
        ),
        (
            "llm/settings.rs",
            "use crate::llm::{cost, tower};",
            Some("name the module"),
        ),
        (
            "llm/cost/mod.rs",
            "mod price;\npub(crate) use price::{\n    Price,\n};",
            None,
        ),
        (
            "llm/cost/mod.rs",
            "fn cost() {}",
            Some("only declares modules"),
        ),
    ] {
        let reported = llm_violations(Path::new(path), text);
        assert_eq!(
            reported.len(),
            usize::from(violation.is_some()),
            "{text}: {reported:?}"
        );
        if let Some(violation) = violation {
            assert!(reported[0].contains(violation), "{}", reported[0]);
        }
    }
}

/// Returns what breaks the structure of `llm` in a file, whose path is relative to `src`.
fn llm_violations(path: &Path, text: &str) -> Vec<String> {
    let Ok(inner) = path.strip_prefix("llm") else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    if path.ends_with("mod.rs") {
        let mut in_list = false;
        for line in text.lines() {
            let declares = [
                "mod ",
                "pub(crate) mod ",
                "use ",
                "pub use ",
                "pub(crate) use ",
            ]
            .iter()
            .any(|start| line.starts_with(start));
            let is_plain = line.is_empty() || line.starts_with("//") || line.starts_with("#[cfg(");
            if !declares && !is_plain && !in_list {
                violations.push(format!(
                    "{}: a `mod.rs` only declares modules: {line}",
                    path.display()
                ));
            }
            in_list = (in_list || declares) && !line.ends_with(';');
        }
    }
    let importer = module_of(inner);
    let Some((_, allowed)) = LLM_MODULES.iter().find(|(name, _)| *name == importer) else {
        return violations;
    };
    for line in text.lines() {
        let Some((_, import)) = line.split_once("use crate::llm::") else {
            continue;
        };
        let (target, _) = import.split_once("::").unwrap_or(("", import));
        if !LLM_MODULES.iter().any(|(module, _)| *module == target) {
            violations.push(format!("{}: name the module: {line}", path.display()));
        } else if target != importer && target != LLM_COMMON && !allowed.contains(&target) {
            violations.push(format!(
                "{}: llm::{importer} may not import llm::{target}: {line}",
                path.display()
            ));
        }
    }
    violations
}

/// Returns the violations in a file, whose path is relative to `src`.
fn violations(path: &Path, text: &str) -> Vec<String> {
    let importer = module_of(path);
    let (_, allowed) = MODULES
        .iter()
        .find(|(name, _)| *name == importer)
        .expect("a module of the table");
    let is_single_file = path.components().count() == 1;
    let mut already_imported = BTreeSet::new();
    let mut violations = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut report = |what: String| {
            violations.push(format!("{}:{}: {what}: {line}", path.display(), number + 1));
        };
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let leaves_module = is_single_file && code.contains("super::") && code != "use super::*;";
        if code.contains("super::super") || leaves_module {
            report("`super` outside of the module".into());
        }
        let import = code
            .find("use crate::")
            .filter(|&at| at == 0 || code.starts_with("pub"));
        let Some(at) = import else {
            if code.contains("crate::") && !code.contains("$crate::") {
                report("an inline path; import it at the top".into());
            }
            continue;
        };
        let path = &code[at + "use crate::".len()..];
        let (target, _) = path.split_once("::").unwrap_or(("", path));
        let is_listed = MODULES.iter().any(|(module, _)| *module == target);
        if !is_listed {
            report("an import through the root; name the module".into());
        } else if target != importer && !allowed.contains(&target) && !COMMON.contains(&target) {
            report(format!("{importer} may not import {target}"));
        }
        let module = path.rsplit_once("::").map_or(path, |(module, _)| module);
        let module = module
            .split_once("::{")
            .map_or(module, |(module, _)| module);
        if !already_imported.insert(module.to_owned()) {
            report(format!(
                "{module} is imported by two `use` items; merge them"
            ));
        }
    }
    violations
}

/// Returns the module of a file: its folder under `src`, or its name.
fn module_of(path: &Path) -> String {
    let first = path.components().next().expect("a path has a part");
    let name = Path::new(first.as_os_str()).with_extension("");
    name.to_string_lossy().into_owned()
}

/// Returns all source files except `lib.rs`, each with its path relative to `src`.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&root).into_iter();
    let mut files: Vec<_> = files
        .map(|(path, text)| {
            let path = path.strip_prefix(&root).expect("a path under src");
            (path.to_owned(), text)
        })
        .collect();
    files.retain(|(path, _)| path != Path::new("lib.rs"));
    assert!(files.len() > 30, "only {} files", files.len());
    files
}

/// Returns all Rust files below a folder.
fn rust_files(root: &Path) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                // The benches against other crates are a workspace with its own build folder.
                if !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("readable source");
                files.push((path, text));
            }
        }
    }
    files
}
