//! Where it is written to: standard output, or a file.

use crate::cli::{Failure, Result};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

/// What is written to. A reader of standard output that went away is no error of ours.
pub(super) struct Sink {
    out: BufWriter<Box<dyn Write>>,
    name: String,
    file: bool,
    unread: bool,
}

/// Says early that a file cannot be written, before an archive is read for an hour.
pub(super) fn check(output: &Path) -> Result {
    let shown = output.display();
    if output.is_dir() {
        return Err(Failure::Usage(format!("--output {shown}: it is a folder; name a file in it")));
    }
    let dir = output.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if dir.is_dir() {
        Ok(())
    } else {
        Err(Failure::Usage(format!("--output {shown}: there is no folder {}", dir.display())))
    }
}

impl Sink {
    pub(super) fn open(output: Option<&Path>) -> Result<Self> {
        let Some(path) = output else {
            return Ok(Self::new(Box::new(io::stdout()), "standard output".to_owned(), false));
        };
        let name = path.display().to_string();
        let file = File::create(path).map_err(|error| Failure::Outside(format!("{name}: {error}")))?;
        Ok(Self::new(Box::new(file), name, true))
    }

    fn new(out: Box<dyn Write>, name: String, file: bool) -> Self {
        Self { out: BufWriter::new(out), name, file, unread: false }
    }

    /// Whether it is a file, where colours would be in the way.
    pub(super) fn is_file(&self) -> bool {
        self.file
    }

    /// What it means that it could not be written to.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        Failure::Outside(format!("{}: {error}", self.name))
    }

    pub(super) fn line(&mut self, text: &str) -> Result {
        writeln!(self, "{text}").map_err(|error| self.failed(&error))
    }

    pub(super) fn finish(mut self) -> Result {
        self.flush().map_err(|error| self.failed(&error))
    }

    fn unless_unread<T>(&mut self, written: io::Result<T>, instead: T) -> io::Result<T> {
        match written {
            Err(error) if !self.file && error.kind() == ErrorKind::BrokenPipe => {
                self.unread = true;
                Ok(instead)
            }
            written => written,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unread {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.unless_unread(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.unread {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.unless_unread(flushed, ())
    }
}
