//! Runs every stored input of the fuzzer: each file of `inputs` on the target named by its
//! folder. The fuzzer itself is in the package `fuzz`.

mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

#[test]
fn every_stored_input_keeps_the_promises() {
    let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/inputs");
    for (name, run) in targets::ALL {
        let mut runs = 0;
        for entry in fs::read_dir(inputs.join(name)).expect("each target has inputs") {
            let path = entry.expect("a folder can be read").path();
            let input = fs::read(&path).expect("an input can be read");
            if let Err(fault) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
                eprintln!("{}", path.display());
                resume_unwind(fault);
            }
            runs += 1;
        }
        assert!(runs > 0, "{name} has no inputs");
    }
}
