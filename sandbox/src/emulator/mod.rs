//! The emulators: ministack behind the proxy, and moto for those who want a second opinion.

mod process;
mod venv;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use process::{Process, Program};
pub use venv::{Progress, progress_on_stderr, target_dir};
pub(crate) use venv::{Requirements, interpreter};

use crate::error::SandboxError;

const MINISTACK: Requirements =
    Requirements { name: "ministack", text: include_str!("../../requirements/ministack.txt") };
const MOTO: Requirements = Requirements { name: "moto", text: include_str!("../../requirements/moto.txt") };

/// What the emulated account is.
pub(crate) struct Described<'a> {
    pub(crate) id: &'a str,
    pub(crate) region: &'a str,
    /// The port that the emulator writes into queue URLs and gives its functions as their endpoint: the proxy's.
    pub(crate) advertised_port: u16,
}

/// ministack, running until this is dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    process: Process,
    python: PathBuf,
}

impl Emulator {
    /// Installs it if need be, starts it, and waits until it answers. Blocks.
    pub(crate) fn start(account: &Described<'_>, progress: &Progress) -> Result<Self, SandboxError> {
        let home = home();
        let python = venv::interpreter(&home, &MINISTACK, progress)?;
        let port = account.advertised_port.to_string();
        let environment = [
            ("AUTH", "true"),
            ("BIND_HOST", "127.0.0.1"),
            ("MINISTACK_HOST", "127.0.0.1"),
            ("GATEWAY_PORT", &port),
            ("MINISTACK_ACCOUNT_ID", account.id),
            ("MINISTACK_REGION", account.region),
            ("IOT_MTLS_ENABLED", "0"),
            ("SFTP_ENABLED", "0"),
            ("LOG_LEVEL", "WARNING"),
        ];
        let program = Program {
            name: "ministack",
            source: include_str!("ministack.py"),
            environment: &environment,
            health: "/_ministack/health",
        };
        Ok(Self { process: Process::start(&home, &python, &program)?, python })
    }

    pub(crate) fn port(&self) -> u16 {
        self.process.port
    }

    pub(crate) fn log(&self) -> &Path {
        &self.process.log
    }

    pub(crate) fn python(&self) -> &Path {
        &self.python
    }
}

/// moto's server, a second emulator that errs elsewhere: it answers an update of a mapping that does not exist with
/// 200 and an empty object, and knows no IAM unless told to. No proxy stands before it, and it has no trail.
#[derive(Debug)]
pub struct Moto {
    process: Process,
}

impl Moto {
    /// Installs it if need be, starts it, and waits until it answers.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::start_telling(Arc::new(progress_on_stderr)).await
    }

    /// As `start`, telling what it is doing.
    pub async fn start_telling(progress: Arc<Progress>) -> Result<Self, SandboxError> {
        let starting = tokio::task::spawn_blocking(move || {
            let home = home();
            let python = venv::interpreter(&home, &MOTO, &*progress)?;
            let source = include_str!("moto.py");
            let program = Program { name: "moto", source, environment: &[], health: "/moto-api/data.json" };
            Ok(Self { process: Process::start(&home, &python, &program)? })
        });
        starting.await.map_err(std::io::Error::other).map_err(SandboxError::io("starting moto"))?
    }

    /// Its endpoint; any credentials will do.
    pub fn endpoint_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.process.port)
    }
}

/// Where virtual environments and logs are kept.
pub(crate) fn home() -> PathBuf {
    target_dir().join("sandbox")
}
