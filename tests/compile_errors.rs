//! The compile errors of common mistakes.
//!
//! Each file of `tests/compile_errors/` has a mistake, its remedy, and sentences that the error
//! must contain, in lines that begin with `//~`. `--cfg mistake` selects the mistake.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that the files may use.
const CRATES: [&str; 7] = [
    "async_openai",
    "axum",
    "reqwest",
    "reqwest_middleware",
    "tachometer",
    "tokio",
    "tower",
];

/// Names that users cannot write.
const PRIVATE_NAMES: [&str; 4] = ["AsHandle", "sealed", "ToNumber", "ServiceState"];

#[test]
fn the_errors_of_common_mistakes_say_what_is_wrong_and_the_remedies_compile() {
    let compiler = Compiler::new();
    let guide = fs::read_to_string("docs/troubleshooting.md").unwrap();
    let files = fs::read_dir("tests/compile_errors").unwrap();
    let mut checked = 0;
    for file in files.map(|file| file.unwrap().path()) {
        let name = file.display();
        let output = compiler.compile(&file, &[]);
        assert_eq!(output, "", "the remedy in {name} does not compile");

        let output = compiler.compile(&file, &["--cfg", "mistake"]);
        let text = fs::read_to_string(&file).unwrap();
        let sentences: Vec<_> = text
            .lines()
            .filter_map(|l| l.strip_prefix("//~ "))
            .collect();
        assert!(!sentences.is_empty(), "{name} expects nothing");
        for sentence in sentences {
            assert!(
                output.contains(sentence),
                "{name}: no `{sentence}` in {output}"
            );
        }
        for private in PRIVATE_NAMES {
            assert!(!output.contains(private), "{name}: `{private}` in {output}");
        }
        let errors = output
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        // The last one is the summary of the compiler.
        assert!(errors <= 3, "{name}: {errors} errors in {output}");
        let first = text
            .lines()
            .find_map(|line| line.strip_prefix("//~ "))
            .unwrap();
        assert!(
            guide.contains(first),
            "docs/troubleshooting.md has no `{first}`"
        );
        checked += 1;
    }
    assert!(checked >= 10, "{checked}");
}

/// The compiler with the crates that this test was built with. Cargo has no means to compile
/// one more file with them, and another build of all dependencies would take minutes.
struct Compiler {
    arguments: Vec<String>,
}

impl Compiler {
    fn new() -> Self {
        let program = std::env::current_exe().unwrap();
        let folder = program.parent().unwrap();
        let arguments = libraries(folder).find_map(|library| arguments_for(folder, &library));
        Self {
            arguments: arguments.expect("a library with all features that this test requires"),
        }
    }

    /// Returns the errors of a file.
    fn compile(&self, file: &Path, arguments: &[&str]) -> String {
        let output = rustc()
            .args([
                "--crate-type",
                "lib",
                "--emit",
                "metadata",
                "-A",
                "warnings",
            ])
            .args(&self.arguments)
            .args(arguments)
            .arg(file)
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Returns the libraries of this crate, the newest first: Cargo has built it for this test.
/// Others may have other features.
fn libraries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let libraries = files.filter(|file| {
        let is_tachometer = file
            .file_name()
            .to_str()
            .unwrap()
            .starts_with("libtachometer-");
        is_tachometer
            && file
                .path()
                .extension()
                .is_some_and(|extension| extension == "rlib")
    });
    let mut libraries: Vec<_> = libraries.collect();
    libraries.sort_by_key(|file| Reverse(file.metadata().unwrap().modified().unwrap()));
    libraries.into_iter().map(|file| file.path())
}

/// Returns the arguments for all crates, if `library` depends on them.
fn arguments_for(folder: &Path, library: &Path) -> Option<Vec<String>> {
    let search = format!("dependency={}", folder.display());
    let library = format!("tachometer={}", library.display());
    // The libraries that a program is linked with: for each crate one file of several that
    // other builds may have left.
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.rs");
    fs::write(&empty, "extern crate tachometer; fn main() {}").unwrap();
    let output = rustc()
        .args(["--crate-type", "bin", "--print", "link-args"])
        .args(["-C", "linker=true", "-L", &search, "--extern", &library])
        .arg(&empty)
        .output()
        .unwrap();
    let linked = String::from_utf8(output.stdout).unwrap();
    let linked: Vec<_> = linked.split([' ', '"', '\n']).collect();
    let mut arguments = vec!["-L".to_owned(), search];
    for name in CRATES {
        let prefix = format!("{}/lib{name}-", folder.display());
        let library = linked.iter().find(|word| word.starts_with(&prefix))?;
        arguments.extend(["--extern".to_owned(), format!("{name}={library}")]);
    }
    Some(arguments)
}

fn rustc() -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
    command.args([
        "--edition",
        "2024",
        "--out-dir",
        env!("CARGO_TARGET_TMPDIR"),
    ]);
    command
}
