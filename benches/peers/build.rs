//! Compiles `cpp/`, or reports which packages are missing.

use cc::Build;

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    println!("cargo::rustc-check-cfg=cfg(boost, sigcpp, counting)");

    if compile("boost", &[], "libboost-dev") {
        println!("cargo::rustc-cfg=boost");
    }

    let sigcpp = pkg_config::Config::new().cargo_metadata(false).probe("sigc++-2.0");
    let include_paths = sigcpp.as_ref().map_or(&[][..], |library| &library.include_paths);
    if compile("sigcpp", include_paths, "libsigc++-2.0-dev pkg-config") {
        println!("cargo::rustc-cfg=sigcpp");
        // Must come after the libraries that need it.
        println!("cargo::rustc-link-lib=sigc-2.0");
    }

    // Only the bench of the heap is linked with it.
    let mut counting = build("counting");
    if is_there(&counting) {
        counting.cargo_metadata(false).compile("peers_counting");
        println!("cargo::rustc-link-search={}", std::env::var("OUT_DIR").expect("cargo sets it"));
        println!("cargo::rustc-cfg=counting");
    }
}

/// Whether all packages were found. A compile error is different: it ends the build.
fn compile(name: &str, include_paths: &[std::path::PathBuf], packages: &str) -> bool {
    let mut build = build(name);
    build.includes(include_paths);
    let is_there = is_there(&build);
    if is_there {
        build.compile(&format!("peers_{name}"));
    } else {
        println!("cargo::warning={name} NOT FOUND: it will not be measured. It needs");
        println!("cargo::warning=    apt-get install g++ {packages}");
        // The file does not exist, so cargo runs this script again next time.
        println!("cargo::rerun-if-changed=cpp/{name}.not-found");
    }
    is_there
}

fn build(name: &str) -> Build {
    let mut build = Build::new();
    build
        .cpp(true)
        .std("c++17")
        .define("NDEBUG", None)
        .flag_if_supported("-Wno-missing-field-initializers")
        .file(format!("cpp/{name}.cpp"));
    build
}

fn is_there(build: &Build) -> bool {
    build.clone().cargo_warnings(false).try_expand().is_ok()
}
