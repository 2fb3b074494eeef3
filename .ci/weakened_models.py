#!/usr/bin/env python3
"""Checks that the loom models fail if the code is weakened.

Each mutation weakens one memory ordering, or one step of a protocol, in a copy of the sources. At
least one loom model must then fail. A model that passes with the weaker code proves nothing.

    .ci/weakened_models.py            all mutations
    .ci/weakened_models.py 3 7        these mutations
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# The file below src/, the text, what replaces it, and the models that may notice it.
MUTATIONS = [
    (
        "cell/count_and_sum.rs",
        "atomic_f64::add(self.sum, value, Ordering::Release);",
        "atomic_f64::add(self.sum, value, Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/count_and_sum.rs",
        "self.count.fetch_add(1, Ordering::Release);",
        "self.count.fetch_add(1, Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/count_and_sum.rs",
        "self.sum.store((sum + value).to_bits(), Ordering::Release);",
        "self.sum.store((sum + value).to_bits(), Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/count_and_sum.rs",
        "self.count.store(count + 1, Ordering::Release);",
        "self.count.store(count + 1, Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/count_and_sum.rs",
        "let count = self.count.load(Ordering::Acquire);",
        "let count = self.count.load(Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/count_and_sum.rs",
        "let sum = f64::from_bits(self.sum.load(Ordering::Acquire));\n        (read",
        "let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));\n        (read",
        "histogram",
    ),
    (
        "cell/extremes.rs",
        "self.min.update(Ordering::Release, lower);",
        "self.min.update(Ordering::Relaxed, lower);",
        "histogram",
    ),
    (
        "cell/extremes.rs",
        "self.min.load(Ordering::Acquire),",
        "self.min.load(Ordering::Relaxed),",
        "histogram",
    ),
    (
        "cell/histogram/hot.rs",
        "extremes.include(value);\n            total.add_exclusive(value);",
        "total.add_exclusive(value);\n            extremes.include(value);",
        "histogram",
    ),
    (
        "cell/histogram/hot.rs",
        "bucket.fetch_add(1, Ordering::Relaxed);",
        "bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);",
        "histogram",
    ),
    (
        "cell/histogram/mod.rs",
        "is_consistent && count == expected",
        "count == expected",
        "histogram",
    ),
    (
        "cell/counter.rs",
        "let whole = self.whole.load(Ordering::Acquire);",
        "let whole = self.whole.load(Ordering::Relaxed);",
        "cell::loom_models",
    ),
    (
        "cell/counter.rs",
        ".fetch_update(Ordering::Release, Ordering::Relaxed, set_whole);",
        ".fetch_update(Ordering::Relaxed, Ordering::Relaxed, set_whole);",
        "cell::loom_models",
    ),
    (
        "cell/counter.rs",
        "word.fetch_add(amount, Ordering::Relaxed);",
        "word.store(word.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);",
        "cell::loom_models",
    ),
    (
        "cell/hash_index.rs",
        "self.len.store(len + 1, Ordering::Release);",
        "self.len.store(len + 1, Ordering::Relaxed);",
        "cell::loom_models",
    ),
    (
        "cell/hash_index.rs",
        "self.current.store(current, Ordering::Release);",
        "self.current.store(current, Ordering::Relaxed);",
        "cell::loom_models",
    ),
    (
        "cell/reset_lock.rs",
        "static ref RESETTING: Mutex<()> = Mutex::new(());\n    }\n\n    let _guard =",
        "static ref RESETTING: Mutex<()> = Mutex::new(());\n    }\n\n    let _ =",
        "cell::loom_models::two_resets",
    ),
    (
        "cell/shards/page.rs",
        "word.store(0, Ordering::Relaxed);",
        "let _ = word;",
        "cell::loom_models",
    ),
    (
        "cell/shards/thread_number.rs",
        "self.0 < EXCLUSIVE",
        "self.0 < EXCLUSIVE + 1",
        "cell::loom_models",
    ),
]


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    chosen = [int(number) for number in sys.argv[1:]] or range(1, len(MUTATIONS) + 1)
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "tachometer"
        copied = shutil.ignore_patterns("target", ".git")
        shutil.copytree(root, copy, ignore=copied)
        for number in chosen:
            path, text, weaker, models = MUTATIONS[number - 1]
            source = copy / "src" / path
            original = source.read_text()
            if original.count(text) != 1:
                print(f"{number}: src/{path} has the text {original.count(text)} times: {text}")
                missed.append(number)
                continue
            source.write_text(original.replace(text, weaker))
            failed = fails(copy, root, models)
            source.write_text(original)
            print(f"{number}: {'noticed' if failed else 'NOT NOTICED'}: {path}: {text}", flush=True)
            if not failed:
                missed.append(number)
    if missed:
        print(f"not noticed: {missed}")
    return 1 if missed else 0


def fails(copy: pathlib.Path, root: pathlib.Path, models: str) -> bool:
    """Returns true if the program compiles and one of these models fails."""
    environment = {
        **os.environ,
        "CARGO_TARGET_DIR": str(root / "target" / "weakened"),
        "RUSTFLAGS": "--allow warnings",
    }
    cargo = ["cargo", "test", "--manifest-path", "loom/Cargo.toml"]
    subprocess.run([*cargo, "--no-run", "--quiet"], cwd=copy, env=environment, check=True)
    run = [*cargo, "--quiet", models]
    result = subprocess.run(run, cwd=copy, env=environment, capture_output=True, check=False)
    return b"panicked" in result.stdout + result.stderr


if __name__ == "__main__":
    sys.exit(main())
