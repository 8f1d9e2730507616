//! Chooses the folder to embed: `portal/dist` where the Portal was built, else a page that says how to build it,
//! so that the workspace compiles without Node.

use std::{env, fs, io, path::PathBuf};

const MISSING: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fractal</title></head>
<body><h1>The Portal was not built</h1><p>Run <code>make portal</code>, then build Fractal again. The API works without it.</p></body></html>
"#;

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| io::Error::other(format!("cargo did not set {name}")))
    };
    let dist = variable("CARGO_MANIFEST_DIR")?.join("../../portal/dist");
    let folder = if dist.join("index.html").is_file() {
        dist.canonicalize()?
    } else {
        let folder = variable("OUT_DIR")?.join("portal");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("index.html"), MISSING)?;
        folder
    };
    // A missing path counts as changed every time, which is what notices the first build of the Portal; the
    // parent folder would too, but it changes with every `npm ci`.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=FRACTAL_PORTAL_DIST={}", folder.display());
    Ok(())
}
