//! What can go wrong while the sandbox is set up, told to the person who started it.

use std::path::PathBuf;

/// Why the sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No Python that can hold the emulator.
    #[error(
        "the sandbox needs Python 3.10 or later with its venv module, and found: {found}. Install it (on Debian and \
         Ubuntu: python3 and python3-venv), or name another interpreter in SANDBOX_PYTHON"
    )]
    Python {
        /// What was tried, and what each said.
        found: String,
    },
    /// A command of the installation failed.
    #[error("installing the emulator failed at `{step}`; its last lines:\n{output}")]
    Install {
        /// What was being run.
        step: String,
        /// The last lines of its output.
        output: String,
    },
    /// The emulator ended, or did not answer in time.
    #[error("the emulator did not start: {reason}. The last lines of {}:\n{tail}", log.display())]
    Emulator {
        /// What was seen.
        reason: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A file or a socket of the sandbox could not be used.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The responder did not become ready.
    #[error("the responder is not ready; it says:\n{log}")]
    Product {
        /// Its log.
        log: String,
    },
    /// A call that sets the emulated account up was refused.
    #[error("setting up the emulated account: {call} failed: {reason}")]
    Account {
        /// The API call.
        call: String,
        /// What the emulator answered.
        reason: String,
    },
}

impl SandboxError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
