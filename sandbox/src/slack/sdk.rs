//! Slack's own Python client, as a judge of blocks and as a client of the double.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::emulator::{Progress, Requirements, home, interpreter, progress_on_stderr};
use crate::error::SandboxError;

const SLACK_SDK: Requirements = Requirements { name: "slack", text: include_str!("../../requirements/slack.txt") };
const CHECK: &str = include_str!("check_blocks.py");

/// A Python with `slack_sdk`.
#[derive(Clone, Debug)]
pub struct SlackSdk {
    python: PathBuf,
}

impl SlackSdk {
    /// Installs it if need be. Blocks.
    pub fn install() -> Result<Self, SandboxError> {
        Self::install_telling(&progress_on_stderr)
    }

    /// As `install`, telling what it is doing.
    pub fn install_telling(progress: &Progress) -> Result<Self, SandboxError> {
        Ok(Self { python: interpreter(&home(), &SLACK_SDK, progress)? })
    }

    /// The interpreter.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// What the client's own models say against these messages (`{"blocks": […]}`) and views (`{"type": "modal", …}`):
    /// `NUMBER/blocks/0: …` each, nothing if all is well. Blocks.
    ///
    /// They know the limits of single fields; how many blocks and characters a message holds they do not know.
    pub fn check(&self, shown: &[Value]) -> Result<Vec<String>, SandboxError> {
        let running = "running slack_sdk";
        let mut child = Command::new(&self.python)
            .args(["-c", CHECK])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(SandboxError::io(running))?;
        if let Some(mut input) = child.stdin.take() {
            let all = Value::Array(shown.to_vec()).to_string();
            input.write_all(all.as_bytes()).map_err(SandboxError::io(running))?;
        }
        let output = child.wait_with_output().map_err(SandboxError::io(running))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(SandboxError::io(running)(std::io::Error::other(said)));
        }
        serde_json::from_slice(&output.stdout).map_err(std::io::Error::from).map_err(SandboxError::io(running))
    }
}
