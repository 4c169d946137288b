//! The real `sluicegate` binary, run against the sandbox: a configuration in a folder of its own, and its processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::account::Account;
use crate::error::SandboxError;

/// How long the responder may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration for the product, in a folder that goes with it.
#[derive(Debug)]
pub struct Product {
    binary: PathBuf,
    home: TempDir,
}

/// What a command of the product said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// A running responder.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    ready: watch::Receiver<Option<String>>,
}

impl Product {
    /// Writes a configuration that acts on this queue, with a copy of `policies`; `more` is added to it.
    pub fn new(binary: &Path, policies: &Path, queue_url: &str, more: &str) -> Result<Self, SandboxError> {
        let home = TempDir::new().map_err(SandboxError::io("making a folder for the responder"))?;
        let product = Self { binary: binary.to_owned(), home };
        copy_dir(policies, &product.policies())?;
        product.configure("enforce", queue_url, more)?;
        Ok(product)
    }

    /// Writes the configuration anew.
    pub fn configure(&self, mode: &str, queue_url: &str, more: &str) -> Result<(), SandboxError> {
        let text = format!(
            "mode = \"{mode}\"\n[intake]\nqueue_url = \"{queue_url}\"\n[http]\nlisten = \"127.0.0.1:0\"\n{more}\n"
        );
        let path = self.home.path().join("sluicegate.toml");
        fs::write(&path, text).map_err(SandboxError::io(format!("writing {}", path.display())))
    }

    /// Its folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The binary.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Its policies.
    pub fn policies(&self) -> PathBuf {
        self.home.path().join("policies")
    }

    /// Its journal.
    pub fn journal(&self) -> PathBuf {
        self.home.path().join("sluicegate.db")
    }

    fn command(&self, who: &Account, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.home.path()).envs(who.environment()).stdin(Stdio::null());
        command
    }

    /// Runs a command of the product to its end, with the credentials of `who`.
    pub async fn command_line(&self, who: &Account, arguments: &[&str]) -> Result<Said, SandboxError> {
        let running = || format!("running sluicegate {}", arguments.join(" "));
        let output = self.command(who, arguments).output().await.map_err(SandboxError::io(running()))?;
        Ok(Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// All cases, as `cases --format json` lists them.
    pub async fn cases(&self, who: &Account) -> Result<Vec<Value>, SandboxError> {
        let said = self.command_line(who, &["--format", "json", "cases"]).await?;
        Ok(said.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Starts the responder with the credentials of `who`, and waits until it says that it is ready.
    pub async fn run(&self, who: &Account) -> Result<Running, SandboxError> {
        let running = self.launch(who)?;
        running.wait_until_ready().await?;
        Ok(running)
    }

    /// Starts the responder without waiting for it.
    pub fn launch(&self, who: &Account) -> Result<Running, SandboxError> {
        let mut child = self
            .command(who, &["run"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(SandboxError::io(format!("starting {}", self.binary.display())))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (tell, ready) = watch::channel(None);
        if let Some(log) = child.stderr.take() {
            let kept = lines.clone();
            tokio::spawn(async move {
                let mut log = BufReader::new(log).lines();
                while let Ok(Some(line)) = log.next_line().await {
                    let line: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                    if line["message"] == "ready" {
                        tell.send_replace(line["http"].as_str().map(str::to_owned));
                    }
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            });
        }
        Ok(Running { child, lines, ready })
    }
}

impl Running {
    /// Waits until the responder says that it is ready.
    pub async fn wait_until_ready(&self) -> Result<(), SandboxError> {
        let mut ready = self.ready.clone();
        if matches!(tokio::time::timeout(PATIENCE, ready.wait_for(Option::is_some)).await, Ok(Ok(_))) {
            return Ok(());
        }
        let log: Vec<String> = self.log().iter().map(ToString::to_string).collect();
        Err(SandboxError::Product { log: log.join("\n") })
    }

    /// Where its HTTP server listens.
    pub fn http(&self) -> Option<String> {
        self.ready.borrow().clone()
    }

    /// Its log so far: JSON, line by line.
    pub fn log(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id; none where it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it without a word, as a crash does.
    pub async fn kill(mut self) -> Result<(), SandboxError> {
        self.child.kill().await.map_err(SandboxError::io("killing the responder"))
    }

    /// Asks it to end (SIGTERM), waits, and gives its exit code.
    pub async fn terminate(mut self) -> Result<i32, SandboxError> {
        if let Some(id) = self.child.id() {
            let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await;
            asked.map_err(SandboxError::io("sending SIGTERM to the responder"))?;
        }
        let ended = self.child.wait().await.map_err(SandboxError::io("waiting for the responder"))?;
        Ok(ended.code().unwrap_or(-1))
    }
}

fn copy_dir(from: &Path, to: &Path) -> Result<(), SandboxError> {
    let copying = || SandboxError::io(format!("copying {} to {}", from.display(), to.display()));
    fs::create_dir_all(to).map_err(copying())?;
    for entry in fs::read_dir(from).map_err(copying())? {
        let entry = entry.map_err(copying())?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(copying())?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(copying())?;
        }
    }
    Ok(())
}
