//! What the demo shows: live on a terminal, plain otherwise; and the one key that a person presses there.

use std::io::{BufRead, IsTerminal, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::process::Command;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::Failure;

/// Where the demo is shown.
#[derive(Debug, Clone)]
pub struct Screen {
    /// A person watches: each time they press Enter, something comes.
    enters: Option<Arc<Mutex<UnboundedReceiver<()>>>>,
    live: bool,
}

impl Screen {
    pub fn new(headless: bool) -> Self {
        let live = std::io::stdout().is_terminal();
        let person = live && !headless && std::io::stdin().is_terminal();
        Self { enters: person.then(|| Arc::new(Mutex::new(read_enters()))), live }
    }

    /// Whether a person watches, and can be waited for.
    pub fn has_person(&self) -> bool {
        self.enters.is_some()
    }

    fn write(text: &str) {
        let mut out = std::io::stdout();
        // A reader that went away is no reason to stop.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// What is meant to be seen first.
    pub fn bold(&self, text: &str) -> String {
        if self.live { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A new scene.
    pub fn scene(&self, title: &str) {
        let clear = if self.live { "\r\u{1b}[K" } else { "" };
        Self::write(&format!("{clear}\n{}\n", self.bold(title)));
    }

    /// Something that is so.
    pub fn line(&self, text: &str) {
        let clear = if self.live { "\r\u{1b}[K" } else { "" };
        Self::write(&format!("{clear}  {text}\n"));
    }

    /// Something that changes: shown in place, on a terminal only.
    pub fn changing(&self, text: &str) {
        if self.live {
            Self::write(&format!("\r\u{1b}[K  {text}"));
        }
    }

    /// Whether Enter was pressed since this was asked last. Where nothing more can be typed it counts as pressed.
    pub fn entered(&self) -> bool {
        let Some(enters) = &self.enters else { return false };
        let mut enters = enters.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(enters.try_recv(), Err(TryRecvError::Empty))
    }

    /// Forgets what was pressed before anything was asked.
    pub fn forget_enters(&self) {
        if let Some(enters) = &self.enters {
            let mut enters = enters.lock().unwrap_or_else(PoisonError::into_inner);
            while enters.try_recv().is_ok() {}
        }
    }

    /// Waits for a person to say go, where there is one.
    pub async fn wait(&self, what: &str) {
        if !self.has_person() {
            return;
        }
        self.forget_enters();
        self.changing(&format!("{} {what} ", self.bold("[Enter]")));
        while !self.entered() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Opens a page in the person's browser, where there is a display to show it on. It is printed too, so that it does
    /// not matter where that does not work.
    pub fn open(&self, url: &str) {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let program = if cfg!(target_os = "macos") {
            "open"
        } else if set("DISPLAY") || set("WAYLAND_DISPLAY") {
            "xdg-open"
        } else {
            return;
        };
        if self.has_person() {
            let silent = || Stdio::null();
            let _ = Command::new(program).arg(url).stdin(silent()).stdout(silent()).stderr(silent()).spawn();
        }
    }
}

/// Reads lines on a thread of its own: reading cannot be given up, and must not keep the demo from ending.
fn read_enters() -> UnboundedReceiver<()> {
    let (tell, enters) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lock().lines();
        while let Some(Ok(_)) = lines.next() {
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    enters
}

/// How the demo failed, on standard error.
pub fn fail(failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "\nthe demo failed: {failure}");
}
