//! Checks tests, files, links and environment variables in the documentation.

#[path = "documentation/links.rs"]
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_named_in_the_documentation_exists() {
    let files = [
        ("CONTRIBUTING.md", 1),
        ("docs/security.md", 30),
        ("tests/README.md", 45),
    ];
    for (file, least) in files {
        let text = read(file);
        let spans: Vec<_> = text.split('`').skip(1).step_by(2).collect();
        let mut count = 0;
        for (span, next) in spans.iter().zip(spans.iter().skip(1).chain(&[""])) {
            // A test below `tests/`, by its modules, or a unit test, followed by its file.
            let (files, name) = match span.rsplit_once("::") {
                Some((modules, name)) if is_test_path(modules, name) => (files_of(modules), name),
                None if next.starts_with("src/") && span.matches('_').count() > 3 => {
                    (vec![(*next).to_owned()], *span)
                }
                _ => continue,
            };
            assert!(
                has_test(&files, name),
                "{file} names {span:?}, which is no test"
            );
            count += 1;
        }
        assert!(count >= least, "{file} names only {count} tests");
    }
}

#[test]
fn each_promise_of_the_crate_documentation_has_a_row_with_tests() {
    let overview = read("src/lib.rs");
    let (_, promises) = overview
        .split_once("# What it promises")
        .expect("a section");
    let (promises, _) = promises.split_once("//! # ").expect("another section");
    let count = promises.matches("\n//! - ").count();
    let index = read("tests/README.md");
    let (mut numbers, mut overview_numbers) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(&index, "## Promises") {
        let [number, overview, promise, tests] = &row[..] else {
            panic!("{row:?} has not 4 cells");
        };
        numbers.extend(number.parse::<usize>());
        overview_numbers.extend(overview.split(", ").flat_map(str::parse::<usize>));
        assert!(
            tests.contains("::") || tests.starts_with("open:"),
            "{promise:?} has no test"
        );
    }
    assert_eq!(overview_numbers, (1..=count).collect());
    assert_eq!(numbers, (1..=12).collect());
}

#[test]
fn every_complaint_is_answered_by_a_test_that_exists() {
    let text = read("tests/it/meta/complaints.rs");
    let mut count = 0;
    for row in rows(&text.replace("//! ", ""), "Complaints of users") {
        let [complaint, answers] = &row[..] else {
            panic!("{row:?} has not 2 cells");
        };
        for answer in answers.split(", ").map(|answer| answer.trim_matches('`')) {
            // A file, a module below `it`, or one of its tests, which may be cut off by `..`.
            let is_there = root().join(answer).exists()
                || files_of(&format!("it::{answer}"))
                    .iter()
                    .any(|file| root().join(file).exists())
                || answer.rsplit_once("::").is_some_and(|(modules, name)| {
                    has_test(
                        &files_of(&format!("it::{modules}")),
                        name.trim_end_matches(".."),
                    )
                });
            assert!(
                is_there,
                "{complaint:?} is answered by {answer:?}, which is no test"
            );
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_row_of_the_table_of_middleware_has_a_test() {
    let column = |rows: Vec<Vec<String>>| rows.into_iter().map(|row| row[0].clone());
    let guide = rows(&read("docs/middleware-order.md"), "what the order changes");
    let index = read("tests/it/http/stacks/mod.rs").replace("//! ", "");
    let index = rows(&index, "# Rows of the guide");
    for row in &index {
        let test = row[1].trim_matches('`');
        let (module, name) = test.rsplit_once("::").expect("a module");
        let files = files_of(&format!("it::http::stacks::{module}"));
        assert!(has_test(&files, name), "{test:?} is no test");
    }
    assert_eq!(
        column(guide).collect::<Vec<_>>(),
        column(index).collect::<Vec<_>>()
    );
}

#[test]
fn every_environment_variable_of_tests_and_ci_is_documented() {
    let index = read("tests/README.md");
    let documented: BTreeSet<_> = rows(&index, "## Environment variables")
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    let mut used = BTreeMap::new();
    let mut files = [".ci/run", ".ci/deep", ".ci/steps", ".ci/tools"]
        .map(PathBuf::from)
        .to_vec();
    for folder in ["tests", "src", "benches"] {
        collect_files(Path::new(folder), &mut files);
    }
    for file in files {
        // Inputs of the fuzzer are no text.
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        if !file.ends_with("tests/documentation.rs") {
            // A unit test compares those of the layer with docs/http.md.
            let names = variables(&text).filter(|name| !name.starts_with("TACHOMETER_HTTP_"));
            used.extend(names.map(|name| (name, file.clone())));
        }
    }
    let names: BTreeSet<_> = used.keys().cloned().collect();
    let missing: Vec<_> = names
        .difference(&documented)
        .map(|name| &used[name])
        .collect();
    assert!(
        names == documented,
        "in tests/README.md {documented:?}, in use {names:?}; undocumented ones in {missing:?}"
    );
}

#[test]
fn links_between_guides_lead_to_modules_in_rustdoc() {
    let modules: BTreeMap<_, _> = read("src/guides/links.md")
        .lines()
        .filter_map(link_definition)
        .map(|(label, target)| (label.to_owned(), target.to_owned()))
        .collect();
    for entry in fs::read_dir(root().join("docs")).expect("a readable folder") {
        let name = entry.expect("a readable entry").file_name();
        let name = name.to_str().expect("a name in UTF-8");
        let Some(guide) = name.strip_suffix(".md") else {
            continue;
        };
        let module = format!("crate::guides::{}", guide.replace('-', "_"));
        assert_eq!(
            modules.get(guide),
            Some(&module),
            "a link in src/guides/links.md"
        );
        let text = read(&format!("docs/{name}"));
        assert!(
            !text.contains(".md)"),
            "docs/{name}: define the link at the end, as `[http]: http.md`"
        );
        for (label, target) in text.lines().filter_map(link_definition) {
            let Some((file, anchor)) = target.split_once(".md") else {
                assert!(target.starts_with("https://"), "docs/{name}: {target:?}");
                continue;
            };
            let module = format!("crate::guides::{}{anchor}", file.replace('-', "_"));
            assert_eq!(
                modules.get(label),
                Some(&module),
                "docs/{name} defines {label:?} as {target:?}, and so must src/guides/links.md"
            );
        }
    }
}

#[test]
fn every_warning_of_the_crate_is_explained() {
    let guide = read("docs/troubleshooting.md");
    let mut files = Vec::new();
    collect_files(Path::new("src"), &mut files);
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(root().join(&file)).expect("a readable file");
        for message in text.split("tracing::warn!(").skip(1).map(first_literal) {
            // What a placeholder is replaced by may be explained elsewhere in the guide.
            let parts = message.split(['{', '}']).step_by(2).map(str::trim);
            for part in parts.filter(|part| part.len() > 5) {
                let file = file.display();
                assert!(
                    guide.contains(part),
                    "{file} logs {part:?}, which docs/troubleshooting.md lacks"
                );
            }
            count += 1;
        }
    }
    assert!(count > 15, "{count}");
}

/// Returns the first string literal of Rust code, with its line continuations joined.
fn first_literal(code: &str) -> String {
    let (_, literal) = code.split_once('"').expect("a literal");
    let (literal, _) = literal.split_once('"').expect("the end of the literal");
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

/// Returns the label and the target if a line of Markdown defines a link.
fn link_definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ")
}

/// Returns the names of variables: all of this crate, those that a shell script gives a
/// default, and those that a script for the browser reads.
fn variables(text: &str) -> impl Iterator<Item = String> {
    let crate_variables = text.match_indices("TACHOMETER_").map(|(start, _)| start);
    let defaults = text
        .match_indices("${")
        .filter(|(start, _)| word(&text[start + 2..]).1.starts_with(":-"))
        .map(|(start, _)| start + 2);
    let prefix = "process.env.";
    let browser = text
        .match_indices(prefix)
        .map(|(start, _)| start + prefix.len());
    let starts: Vec<_> = crate_variables.chain(defaults).chain(browser).collect();
    let names = starts.into_iter().map(|start| word(&text[start..]).0);
    names
        .filter(|name| name.chars().any(char::is_uppercase) && !name.ends_with('_'))
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Splits a text after its leading uppercase name.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    text.split_at(end.unwrap_or(text.len()))
}

fn is_test_path(modules: &str, name: &str) -> bool {
    name.contains('_') && !modules.contains(char::is_uppercase) && !modules.starts_with("http_body")
}

/// Returns the files that a module below `tests/` may be in.
fn files_of(modules: &str) -> Vec<String> {
    let path = format!("tests/{}", modules.replace("::", "/"));
    ["", "/mod", "/main"]
        .map(|end| format!("{path}{end}.rs"))
        .into()
}

/// Returns true if one of the files has a function whose name is `name`, or starts with it if
/// it ends with an underscore.
fn has_test(files: &[String], name: &str) -> bool {
    let end = if name.ends_with('_') { "" } else { "(" };
    files
        .iter()
        .filter_map(|file| fs::read_to_string(root().join(file)).ok())
        .any(|text| text.contains(&format!("fn {name}{end}")))
}

/// Returns the cells of each row of the first table after `heading`.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = text.split_once(heading).expect("the heading exists");
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let table = lines.take_while(|line| line.starts_with('|')).skip(2);
    table
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).expect("a readable folder") {
        let path = folder.join(entry.expect("a readable entry").file_name());
        if root().join(&path).is_dir() {
            if !path.ends_with("inputs") && !path.ends_with("rivals") {
                collect_files(&path, files);
            }
        } else {
            let extension = path.extension().unwrap_or_default();
            if extension == "rs" || extension == "cjs" {
                files.push(path);
            }
        }
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
