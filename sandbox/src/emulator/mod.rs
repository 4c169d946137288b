//! The emulator: ministack as a child process, on a port of its own, gone when the sandbox is.

mod venv;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) use venv::interpreter;
pub use venv::{Progress, progress_on_stderr, target_dir};

use crate::error::SandboxError;

const LAUNCHER: &str = include_str!("launch.py");
const PATIENCE: Duration = Duration::from_mins(1);

/// What the emulated account is.
pub(crate) struct Account<'a> {
    pub(crate) id: &'a str,
    pub(crate) region: &'a str,
    /// The port that the emulator writes into queue URLs and gives its functions as their endpoint: the proxy's.
    pub(crate) advertised_port: u16,
}

/// A running emulator. It ends, with its functions' processes, when this is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Emulator {
    child: Child,
    pub(crate) port: u16,
    pub(crate) log: PathBuf,
    state: TempDir,
}

impl Emulator {
    /// Starts it and waits until it answers. Blocks.
    pub(crate) fn start(home: &Path, python: &Path, account: &Account<'_>) -> Result<Self, SandboxError> {
        let state = tempfile::tempdir().map_err(SandboxError::io("making a directory for the emulator's state"))?;
        let logs = home.join("logs");
        fs::create_dir_all(&logs).map_err(SandboxError::io(format!("making {}", logs.display())))?;
        forget_old_logs(&logs);
        let log = logs.join(format!("emulator-{}.log", uuid::Uuid::new_v4()));
        let child = spawn(python, state.path(), &log, account)?;
        let mut emulator = Self {
            child,
            port: 0,
            log,
            state,
        };
        emulator.wait_until_it_answers()?;
        Ok(emulator)
    }

    fn wait_until_it_answers(&mut self) -> Result<(), SandboxError> {
        let started = Instant::now();
        let port_file = self.state.path().join("port");
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(format!("it ended with {status}")));
            }
            if let Some(port) = fs::read_to_string(&port_file).ok().and_then(|text| text.parse().ok()) {
                self.port = port;
                if healthy(port) {
                    return Ok(());
                }
            }
            if started.elapsed() > PATIENCE {
                return Err(self.failed(format!("no answer after {} seconds", PATIENCE.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn failed(&self, reason: String) -> SandboxError {
        let mut text = String::new();
        if let Ok(mut file) = File::open(&self.log) {
            // What cannot be read of a log is not worth a second error.
            let _ = file.read_to_string(&mut text);
        }
        SandboxError::Emulator {
            reason,
            log: self.log.clone(),
            tail: venv::last_lines(&text, 20),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Its standard input closes, and the launcher ends its whole process group.
        drop(self.child.stdin.take());
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A log is of use until the next day.
fn forget_old_logs(logs: &Path) {
    for entry in fs::read_dir(logs).into_iter().flatten().flatten() {
        let written = entry.metadata().and_then(|data| data.modified()).ok();
        let age = written.and_then(|written| written.elapsed().ok());
        if age.is_some_and(|age| age > Duration::from_hours(24)) {
            // Another sandbox may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn spawn(python: &Path, state: &Path, log: &Path, account: &Account<'_>) -> Result<Child, SandboxError> {
    let launcher = state.join("launch.py");
    fs::write(&launcher, LAUNCHER).map_err(SandboxError::io(format!("writing {}", launcher.display())))?;
    let output = File::create(log).map_err(SandboxError::io(format!("creating {}", log.display())))?;
    let errors = output
        .try_clone()
        .map_err(SandboxError::io(format!("creating {}", log.display())))?;
    let home = state.join("home");
    fs::create_dir_all(&home).map_err(SandboxError::io(format!("making {}", home.display())))?;
    Command::new(python)
        .arg(&launcher)
        // Nothing of the person's own AWS settings or containers may reach it: its key id would be root there.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("TMPDIR", state)
        .env("STATE_DIR", state.join("state"))
        .env("S3_DATA_DIR", state.join("s3"))
        .env(
            "DOCKER_HOST",
            format!("unix://{}", state.join("no-docker.sock").display()),
        )
        .env("AUTH", "true")
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", account.advertised_port.to_string())
        .env("MINISTACK_ACCOUNT_ID", account.id)
        .env("MINISTACK_REGION", account.region)
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("LOG_LEVEL", "WARNING")
        .env("PYTHONUNBUFFERED", "1")
        .env("SANDBOX_PORT_FILE", state.join("port"))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(SandboxError::io(format!("starting {}", python.display())))
}

/// Whether the emulator answers on its port. The launcher chose the port itself, so nobody else can.
fn healthy(port: u16) -> bool {
    use std::io::Write as _;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) else {
        return false;
    };
    let patience = Some(Duration::from_secs(2));
    let request = b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut start = [0; 12];
    stream.set_read_timeout(patience).is_ok()
        && stream.write_all(request).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && &start == b"HTTP/1.1 200"
}
