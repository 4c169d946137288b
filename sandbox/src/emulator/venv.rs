//! The emulators' Python virtual environments: made once for all tests and the demo, under the target directory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::SandboxError;

/// A set of Python packages, each with its hashes.
pub(crate) struct Requirements {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// Where the sandbox tells what it is doing; standard error unless told otherwise.
pub type Progress = dyn Fn(&str) + Send + Sync;

/// Tells it on standard error, past the capturing of a test's output.
pub fn progress_on_stderr(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "sandbox: {line}");
}

/// The workspace's target directory.
///
/// `CARGO_TARGET_DIR` where it is set, the one that holds the running program otherwise.
pub fn target_dir() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Some(named) = std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        return workspace.join(named);
    }
    let program = std::env::current_exe().unwrap_or_default();
    let holds = |dir: &&Path| dir.join("CACHEDIR.TAG").is_file();
    program.ancestors().skip(1).find(holds).map_or_else(|| workspace.join("target"), Path::to_path_buf)
}

/// The interpreter of the virtual environment, which is made first if need be.
///
/// Whoever comes second, in this process or another, waits for the first.
pub(crate) fn interpreter(home: &Path, wanted: &Requirements, progress: &Progress) -> Result<PathBuf, SandboxError> {
    fs::create_dir_all(home).map_err(SandboxError::io(format!("making {}", home.display())))?;
    let name = format!("venv-{}-{:08x}", wanted.name, crc32fast::hash(wanted.text.as_bytes()));
    let venv = home.join(&name);
    let (python, done) = (venv.join("bin/python"), venv.join("complete"));
    if done.is_file() {
        return Ok(python);
    }
    let lock_file = home.join(format!("{name}.lock"));
    let locking = || format!("locking {}", lock_file.display());
    let lock = File::create(&lock_file).map_err(SandboxError::io(locking()))?;
    if lock.try_lock().is_err() {
        progress(&format!("{} is being installed by another test; waiting for it", wanted.name));
        lock.lock().map_err(SandboxError::io(locking()))?;
    }
    if !done.is_file() {
        install(&venv, &python, wanted, progress)?;
        fs::write(&done, "").map_err(SandboxError::io(format!("writing {}", done.display())))?;
    }
    Ok(python)
}

fn install(venv: &Path, python: &Path, wanted: &Requirements, progress: &Progress) -> Result<(), SandboxError> {
    let system = find_python(std::env::var("SANDBOX_PYTHON").ok())?;
    progress(&format!("installing {} into {} (once, about 20 seconds)", wanted.name, venv.display()));
    if venv.exists() {
        // An installation that was interrupted.
        fs::remove_dir_all(venv).map_err(SandboxError::io(format!("removing {}", venv.display())))?;
    }
    run(Command::new(system).args(["-m", "venv"]).arg(venv), "python3 -m venv")?;
    let requirements = venv.join("requirements.txt");
    fs::write(&requirements, wanted.text).map_err(SandboxError::io(format!("writing {}", requirements.display())))?;
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r"];
    run(Command::new(python).args(pip).arg(&requirements), "pip install --require-hashes -r requirements.txt")?;
    progress(&format!("{} is installed", wanted.name));
    Ok(())
}

/// The first interpreter that is new enough and can make virtual environments.
fn find_python(named: Option<String>) -> Result<String, SandboxError> {
    let usual = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
    let only = named.clone();
    let candidates: Vec<String> = named.map_or_else(|| usual.map(String::from).to_vec(), |one| vec![one]);
    let mut found = Vec::new();
    for candidate in candidates {
        let check = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2]); \
                     sys.exit(sys.version_info < (3, 10))";
        match Command::new(&candidate).args(["-c", check]).output() {
            Ok(output) if output.status.success() => return Ok(candidate),
            Ok(output) => {
                let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
                let said = String::from_utf8_lossy(&said);
                found.push(format!("{candidate} ({})", said.trim().lines().last().unwrap_or("no answer")));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && only.is_none() => {}
            Err(error) => found.push(format!("{candidate} ({error})")),
        }
    }
    let found = if found.is_empty() { "no python3 on the PATH".to_owned() } else { found.join(", ") };
    Err(SandboxError::Python { found })
}

fn run(command: &mut Command, step: &str) -> Result<(), SandboxError> {
    let failed = |output: String| SandboxError::Install { step: step.to_owned(), output };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(failed(last_lines(&said, 15)))
}

/// The last lines of a text.
pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn an_old_python_and_a_missing_one_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old-python");
        fs::write(&old, "#!/bin/sh\necho 3.8\nexit 1\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
        let said = find_python(Some(old.display().to_string())).unwrap_err().to_string();
        assert!(said.contains("Python 3.10 or later") && said.contains("old-python (3.8)"), "{said}");
        let said = find_python(Some("no-such-python".to_owned())).unwrap_err().to_string();
        assert!(said.contains("no-such-python (No such file"), "{said}");
    }

    #[test]
    fn a_failed_step_shows_its_last_lines() {
        let script = "for i in $(seq 40); do echo line $i; done; echo no matching hash >&2; exit 1";
        let said = run(Command::new("sh").args(["-c", script]), "pip install").unwrap_err().to_string();
        assert!(said.contains("`pip install`") && said.ends_with("no matching hash"), "{said}");
        assert!(said.contains("line 40") && !said.contains("line 9\n"), "{said}");
    }
}
