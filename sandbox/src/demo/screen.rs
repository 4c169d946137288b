//! What the demo shows: live on a terminal, plain otherwise.

use std::io::{BufRead, IsTerminal, Write};

use super::Failure;

/// Where the demo is shown.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// A person watches, and goes on with Enter.
    person: bool,
    live: bool,
}

impl Screen {
    pub fn new(headless: bool) -> Self {
        let live = std::io::stdout().is_terminal();
        Self { person: live && !headless && std::io::stdin().is_terminal(), live }
    }

    fn write(text: &str) {
        let mut out = std::io::stdout();
        // A reader that went away is no reason to stop.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A new scene.
    pub fn scene(self, title: &str) {
        let (bold, plain) = if self.live { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        Self::write(&format!("\n{bold}{title}{plain}\n"));
    }

    /// Something that is so.
    pub fn line(self, text: &str) {
        let clear = if self.live { "\r\u{1b}[K" } else { "" };
        Self::write(&format!("{clear}  {text}\n"));
    }

    /// Something that changes: shown in place, on a terminal only.
    pub fn changing(self, text: &str) {
        if self.live {
            Self::write(&format!("\r\u{1b}[K  {text}"));
        }
    }

    /// Waits for a person to say go, where there is one.
    pub async fn wait(self, what: &str) {
        if !self.person {
            return;
        }
        Self::write(&format!("  [Enter] {what} "));
        let read = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_line(&mut String::new()));
        // The end of the input is as good as Enter.
        let _ = read.await;
    }
}

/// How the demo failed, on standard error.
pub fn fail(failure: &Failure) {
    let _ = writeln!(std::io::stderr(), "\nthe demo failed: {failure}");
}
