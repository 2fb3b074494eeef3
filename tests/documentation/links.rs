//! Checks the links of all documents, and the files that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::{files_of, has_test, read, root};

/// The documents in the root.
const ROOT_DOCUMENTS: [&str; 6] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "RELEASING.md",
    "SECURITY.md",
];
/// Folders with documents.
const FOLDERS: [&str; 4] = [".github", "benches", "docs", "tests"];
/// Test programs whose names are no modules of the crate.
const TEST_PROGRAMS: [&str; 6] = [
    "alloc",
    "attack",
    "it",
    "llm_clients",
    "llm_memory",
    "structure",
];
/// Folders whose files are named by their path from the root.
const SOURCE_FOLDERS: [&str; 9] = [
    ".ci/",
    ".github/",
    "benches/",
    "docs/",
    "examples/",
    "fuzz/",
    "macros/",
    "src/",
    "tests/",
];
/// Stands for a part of a path that the reader chooses.
const PLACEHOLDERS: [&str; 2] = ["NAME", "TARGET"];
/// Marks what must be filled in before the first release.
const FILL_IN: &str = "FILL IN:";

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let documents: BTreeMap<_, _> = documents()
        .into_iter()
        .map(|path| {
            let document = Document::parse(&read_path(&path));
            (path, document)
        })
        .collect();
    let mut faults = Vec::new();
    let mut count = 0;
    for (path, document) in &documents {
        let file = path.display();
        for label in &document.undefined {
            faults.push(format!("{file}: the link [{label}] is not defined"));
        }
        for target in &document.links {
            if let Err(fault) = check_link(path, target, &documents) {
                faults.push(format!("{file}: {target:?} {fault}"));
            }
            count += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 30, "{count} links");
}

#[test]
fn every_file_and_test_named_in_a_document_exists() {
    let sources = source_files();
    let mut faults = Vec::new();
    let mut count = 0;
    for path in documents() {
        for span in Document::parse(&read_path(&path)).code_spans {
            if let Some(exists) = names_existing_item(&span, &sources) {
                count += 1;
                if !exists {
                    faults.push(format!("{}: {span:?} does not exist", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 100, "{count} names");
}

#[test]
fn only_the_release_checklist_has_lines_to_fill_in() {
    let manifests = ["Cargo.toml", "macros/Cargo.toml"].map(PathBuf::from);
    for path in documents().into_iter().chain(manifests) {
        if path != Path::new("RELEASING.md") {
            let has_line = read_path(&path).lines().any(|line| {
                line.trim_start_matches(['-', '#', ' '])
                    .starts_with(FILL_IN)
            });
            assert!(!has_line, "{}: move it to RELEASING.md", path.display());
        }
    }
}

#[test]
fn broken_links_are_recognized() {
    let here = Document::parse(
        "# One two\n\n## It's `a_b`!\n\n# One two\n\n[a](#one-two-1) [b][c] ![d](e.png)\n\n[x]: y.md",
    );
    assert_eq!(here.anchors, to_set(&["one-two", "its-a_b", "one-two-1"]));
    assert_eq!(here.links, ["#one-two-1", "e.png"]);
    assert_eq!(here.undefined, ["c"]);
    let documents = BTreeMap::from([(PathBuf::from("docs/here.md"), here)]);
    for (target, is_right) in [
        ("#one-two", true),
        ("#one", false),
        ("here.md#its-a_b", true),
        ("../docs/here.md#three", false),
        ("../src/lib.rs", true),
        ("../src/no_such_file.rs", false),
        ("../../outside", false),
        ("https://example.com/", true),
    ] {
        let checked = check_link(Path::new("docs/here.md"), target, &documents);
        assert_eq!(checked.is_ok(), is_right, "{target}");
    }
    let sources = source_files();
    for (span, exists) in [
        ("src/lib.rs", Some(true)),
        ("src/no_such_file.rs", Some(false)),
        ("cell/mod.rs", Some(true)),
        ("no_such_file.rs", Some(false)),
        ("tests/llm/response_formats/NAME.rs", None),
        ("it::http::no_such_test", Some(false)),
        ("tokio::task::spawn_blocking", None),
    ] {
        assert_eq!(names_existing_item(span, &sources), exists, "{span}");
    }
}

/// The parts of a document that refer to others, or that others refer to.
#[derive(Debug, Default)]
struct Document {
    anchors: BTreeSet<String>,
    links: Vec<String>,
    /// The labels of links without a definition.
    undefined: Vec<String>,
    code_spans: Vec<String>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut undefined = Vec::new();
        let mut heading: Option<String> = None;
        let on_broken_link = |link: BrokenLink<'_>| {
            // A lone `[text]` may be no link.
            if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
                undefined.push(link.reference.into_string());
            }
            None
        };
        let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
        for event in Parser::new_with_broken_link_callback(text, options, Some(on_broken_link)) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let title = heading.take().unwrap_or_default();
                    document.add_anchor(&title);
                }
                Event::Text(part) => {
                    if let Some(title) = &mut heading {
                        title.push_str(&part);
                    }
                }
                Event::Code(code) => {
                    if let Some(title) = &mut heading {
                        title.push_str(&code);
                    }
                    document.code_spans.push(code.into_string());
                }
                _ => {}
            }
        }
        document.undefined = undefined;
        document
    }

    /// Adds the anchor that code hosts make from a heading.
    fn add_anchor(&mut self, title: &str) {
        let title = title.trim().to_lowercase().replace(' ', "-");
        let is_kept = |char: &char| char.is_alphanumeric() || ['-', '_'].contains(char);
        let anchor: String = title.chars().filter(is_kept).collect();
        let mut unique = anchor.clone();
        for number in 1.. {
            if self.anchors.insert(unique) {
                return;
            }
            unique = format!("{anchor}-{number}");
        }
    }
}

/// Checks a link of the document `from`.
fn check_link(
    from: &Path,
    target: &str,
    documents: &BTreeMap<PathBuf, Document>,
) -> Result<(), String> {
    // A page elsewhere, or an item of the crate, which rustdoc checks.
    if target.contains("://") || target.contains("::") {
        return Ok(());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => from.to_owned(),
        file => normalize(&from.with_file_name(file)).ok_or("is outside of the repository")?,
    };
    if !documents.contains_key(&path) && !root().join(&path).exists() {
        return Err("does not exist".into());
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let document = documents.get(&path).ok_or("is no document with headings")?;
    let exists = document.anchors.contains(anchor);
    exists
        .then_some(())
        .ok_or_else(|| format!("is none of {:?}", document.anchors))
}

/// Resolves `..`. Returns `None` if the path leads out of the repository.
fn normalize(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => normal.pop().then_some(())?,
            component => normal.push(component),
        }
    }
    Some(normal)
}

/// Returns whether the item that a code span names exists, or `None` if it names neither a file
/// nor a test.
fn names_existing_item(span: &str, sources: &[String]) -> Option<bool> {
    let is_path = |char: char| char.is_ascii_alphanumeric() || "_-./".contains(char);
    if PLACEHOLDERS.iter().any(|word| span.contains(word)) {
        return None;
    }
    if span.chars().all(is_path) {
        if SOURCE_FOLDERS.iter().any(|folder| span.starts_with(folder)) {
            return Some(root().join(span).exists());
        }
        // A file of the folder that the text is about.
        let is_source = Path::new(span).extension().is_some_and(|end| end == "rs");
        let suffix = format!("/{span}");
        return is_source.then(|| sources.iter().any(|path| path.ends_with(&suffix)));
    }
    let (modules, name) = span.rsplit_once("::")?;
    let program = modules.split("::").next()?;
    TEST_PROGRAMS
        .contains(&program)
        .then(|| has_test(&files_of(modules), name))
}

/// Returns the paths of all documents, from the root.
fn documents() -> Vec<PathBuf> {
    let mut paths: Vec<_> = ROOT_DOCUMENTS.iter().map(PathBuf::from).collect();
    for folder in FOLDERS {
        for entry in root().join(folder).read_dir().expect("a readable folder") {
            let name = entry.expect("a readable entry").file_name();
            if Path::new(&name).extension().is_some_and(|end| end == "md") {
                paths.push(Path::new(folder).join(name));
            }
        }
    }
    paths
}

/// Returns the paths of all Rust files, from the root.
fn source_files() -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = SOURCE_FOLDERS.map(|folder| root().join(folder)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("inputs") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "rs") {
                let path = path.strip_prefix(root()).expect("a path below the root");
                files.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files
}

fn read_path(path: &Path) -> String {
    read(path.to_str().expect("a path in UTF-8"))
}

fn to_set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
