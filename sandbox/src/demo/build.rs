//! The real `sluicegate` binary, built in the same profile and with the same features as this one.

use std::path::PathBuf;

use super::screen::Screen;
use super::{Failure, Result};
use tokio::process::Command;

pub async fn sluicegate(screen: &Screen) -> Result<PathBuf> {
    screen.scene("Building sluicegate");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let own = std::env::current_exe().map_err(|error| Failure(format!("where am I? {error}")))?;
    let mut build = Command::new(cargo);
    // No -p: features are resolved over the whole workspace, so that nothing is compiled twice.
    build.args(["build", "--quiet", "--bin", "sluicegate"]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.status().await.map_err(|error| Failure(format!("cargo cannot be run: {error}")))?;
    let binary = own.with_file_name("sluicegate");
    if !built.success() || !binary.is_file() {
        return Err(Failure(format!("cargo did not build {}", binary.display())));
    }
    screen.line(&format!("{}", binary.display()));
    Ok(binary)
}
