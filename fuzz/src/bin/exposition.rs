#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tachometer_fuzz::run("exposition", input));
