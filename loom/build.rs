//! Selects loom's primitives in the crate. A flag for rustc would compile the dependencies again.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(tachometer_loom)");
    println!("cargo::rustc-cfg=tachometer_loom");
    println!("cargo::rerun-if-changed=build.rs");
}
