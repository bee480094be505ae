//! Compiles `cpp/`, or says what is missing for that.

use cc::Build;

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    println!("cargo::rustc-check-cfg=cfg(boost, sigcpp)");

    if compile("boost", &[], "libboost-dev") {
        println!("cargo::rustc-cfg=boost");
    }

    let sigcpp = pkg_config::Config::new().cargo_metadata(false).probe("sigc++-2.0");
    let include_paths = sigcpp.as_ref().map_or(&[][..], |library| &library.include_paths);
    if compile("sigcpp", include_paths, "libsigc++-2.0-dev pkg-config") {
        println!("cargo::rustc-cfg=sigcpp");
        // After what needs it.
        println!("cargo::rustc-link-lib=sigc-2.0");
    }
}

/// Whether all was there. A compile error is another matter: that ends the build.
fn compile(name: &str, include_paths: &[std::path::PathBuf], packages: &str) -> bool {
    let mut build = Build::new();
    build
        .cpp(true)
        .std("c++17")
        .define("NDEBUG", None)
        .flag_if_supported("-Wno-missing-field-initializers")
        .includes(include_paths)
        .file(format!("cpp/{name}.cpp"));
    let is_there = build.clone().cargo_warnings(false).try_expand().is_ok();
    if is_there {
        build.compile(&format!("peers_{name}"));
    } else {
        println!("cargo::warning={name} NOT FOUND: it will not be measured. It needs");
        println!("cargo::warning=    apt-get install g++ {packages}");
        // A file that is not there: look again next time.
        println!("cargo::rerun-if-changed=cpp/{name}.not-found");
    }
    is_there
}
