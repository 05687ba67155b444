//! Tells the linker that the library stays in memory until the process ends,
//! whoever closes it: its threads may still run, and destructors of
//! JavaScript's threads are in it. Where linkers cannot be told, `sys.rs` tells
//! the loader.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if system == "linux" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
