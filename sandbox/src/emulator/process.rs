//! An emulator as a child process: on a port of its own, and gone when it is dropped or this process ends.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::venv::last_lines;
use crate::error::SandboxError;

const PATIENCE: Duration = Duration::from_mins(1);

/// What is started: a Python program that tells its port in a file, and ends when its standard input does.
pub(super) struct Program<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    /// Its environment, beside `PATH`, `HOME` and a directory for temporary files.
    pub(super) environment: &'a [(&'a str, &'a str)],
    /// The path that it answers with 200 once it is ready.
    pub(super) health: &'a str,
}

/// A running emulator.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    state: TempDir,
    pub(super) port: u16,
    pub(super) log: PathBuf,
}

impl Process {
    /// Starts it and waits until it answers. Blocks.
    pub(super) fn start(home: &Path, python: &Path, program: &Program<'_>) -> Result<Self, SandboxError> {
        let state = tempfile::tempdir().map_err(SandboxError::io("making a directory for the emulator's state"))?;
        let logs = home.join("logs");
        fs::create_dir_all(&logs).map_err(SandboxError::io(format!("making {}", logs.display())))?;
        forget_old_logs(&logs);
        let log = logs.join(format!("{}-{}.log", program.name, uuid::Uuid::new_v4()));
        let child = spawn(python, program, state.path(), &log)?;
        let mut process = Self { child, state, port: 0, log };
        process.wait_until_it_answers(program.health)?;
        Ok(process)
    }

    fn wait_until_it_answers(&mut self, health: &str) -> Result<(), SandboxError> {
        let started = Instant::now();
        let port_file = self.state.path().join("port");
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(format!("it ended with {status}")));
            }
            if let Some(port) = fs::read_to_string(&port_file).ok().and_then(|text| text.parse().ok()) {
                self.port = port;
                if healthy(port, health) {
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
        // What cannot be read of a log is not worth a second error.
        let text = fs::read(&self.log).unwrap_or_default();
        let tail = last_lines(&String::from_utf8_lossy(&text), 20);
        SandboxError::Emulator { reason, log: self.log.clone(), tail }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its standard input closes, and it ends its whole process group.
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

fn spawn(python: &Path, program: &Program<'_>, state: &Path, log: &Path) -> Result<Child, SandboxError> {
    let launcher = state.join("launch.py");
    fs::write(&launcher, program.source).map_err(SandboxError::io(format!("writing {}", launcher.display())))?;
    let output = File::create(log).map_err(SandboxError::io(format!("creating {}", log.display())))?;
    let errors = output.try_clone().map_err(SandboxError::io(format!("creating {}", log.display())))?;
    let home = state.join("home");
    fs::create_dir_all(&home).map_err(SandboxError::io(format!("making {}", home.display())))?;
    Command::new(python)
        .arg(&launcher)
        // Nothing of the person's own AWS settings or containers may reach it: their key would be root there.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("TMPDIR", state)
        .env("STATE_DIR", state.join("state"))
        .env("S3_DATA_DIR", state.join("s3"))
        .env("DOCKER_HOST", format!("unix://{}", state.join("no-docker.sock").display()))
        .env("PYTHONUNBUFFERED", "1")
        .env("SANDBOX_PORT_FILE", state.join("port"))
        .envs(program.environment.iter().copied())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(SandboxError::io(format!("starting {}", python.display())))
}

/// Whether it answers. It chose its port itself, so that nobody else can be there.
fn healthy(port: u16, path: &str) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) else {
        return false;
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    let mut start = [0; 12];
    stream.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && &start[9..] == b"200"
}
