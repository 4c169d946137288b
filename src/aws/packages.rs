//! Functions' code, fetched from where Lambda says and kept in a folder, before somebody can delete it.

use crate::ports::{CallError, CodeLocation, Kept};
use reqwest::{Client, redirect};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(10);
/// An attacker who makes functions must not fill the disk that the journal is on.
const MOST_IN_ALL: u64 = 10 << 30;

/// Where code packages go. Clones share it.
#[derive(Debug, Clone)]
pub struct Packages {
    folder: Option<PathBuf>,
    client: Arc<OnceLock<Result<Client, String>>>,
}

impl Packages {
    /// Into this folder, which is made when it is needed; `None`: code is not kept.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, client: Arc::default() }
    }

    pub(super) fn are_kept(&self) -> bool {
        self.folder.is_some()
    }

    /// Fetches a package into a file of its own, and puts that in its place once it is whole. One that is there already
    /// is left as it is.
    pub(super) async fn keep(&self, from: &CodeLocation, function: &str, limit: u64) -> Result<Kept, CallError> {
        let Some(folder) = &self.folder else {
            return Err(CallError::NotSent { message: "code is not kept".into() });
        };
        let room = room(folder).await.map_err(|error| not_kept(folder, &error))?;
        if room == 0 {
            let message = format!("{} is full: it holds {} bytes or more", folder.display(), MOST_IN_ALL);
            return Err(CallError::NotSent { message });
        }
        let partial = folder.join(format!(".partial-{:016x}", fastrand::u64(..)));
        let fetched = self.fetch(from, &partial, limit.min(room)).await;
        let kept = match fetched {
            Ok((sha256, bytes)) => {
                place(&partial, folder, function, sha256, bytes).await.map_err(|e| not_kept(folder, &e))
            }
            Err(error) => Err(error),
        };
        // What was put in its place is there under two names until now; what failed is of no use.
        if let Err(error) = fs::remove_file(&partial).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a partial package cannot be removed");
        }
        kept
    }

    async fn fetch(&self, from: &CodeLocation, to: &Path, limit: u64) -> Result<([u8; 32], u64), CallError> {
        let mut answer = self.client()?.get(&from.0).send().await.map_err(unanswered)?;
        let status = answer.status();
        if !status.is_success() {
            let code = format!("HTTP {}", status.as_u16());
            return Err(CallError::Refused { code, message: "the code cannot be fetched".into(), request_id: None });
        }
        let large = |bytes: u64| CallError::Refused {
            code: "TooLarge".into(),
            message: format!("the code has {bytes} bytes or more, and {limit} may be kept"),
            request_id: None,
        };
        if let Some(bytes) = answer.content_length().filter(|bytes| *bytes > limit) {
            return Err(large(bytes));
        }
        let folder = to.parent().unwrap_or(to);
        let mut file = create(to).await.map_err(|error| not_kept(folder, &error))?;
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        while let Some(chunk) = answer.chunk().await.map_err(unanswered)? {
            bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if bytes > limit {
                return Err(large(bytes));
            }
            hash.update(&chunk);
            file.write_all(&chunk).await.map_err(|error| not_kept(folder, &error))?;
        }
        file.sync_all().await.map_err(|error| not_kept(folder, &error))?;
        Ok((hash.finalize().into(), bytes))
    }

    fn client(&self) -> Result<&Client, CallError> {
        let made = self.client.get_or_init(|| {
            crate::tls::prepare();
            let client = Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT);
            client.read_timeout(SILENCE).build().map_err(|error| chain(&error))
        });
        made.as_ref().map_err(|message| CallError::NotSent { message: message.clone() })
    }
}

/// For its owner alone: code may hold secrets.
async fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await
}

/// How many bytes more the folder may take; it is made where there is none.
async fn room(folder: &Path) -> std::io::Result<u64> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    let (mut entries, mut bytes) = (fs::read_dir(folder).await?, 0_u64);
    while let Some(entry) = entries.next_entry().await? {
        // One that was removed meanwhile takes no room.
        bytes = bytes.saturating_add(entry.metadata().await.map_or(0, |about| about.len()));
    }
    Ok(MOST_IN_ALL.saturating_sub(bytes))
}

/// Gives the file its name, which nothing else has: a link is never made over another file.
async fn place(partial: &Path, folder: &Path, function: &str, sha256: [u8; 32], bytes: u64) -> std::io::Result<Kept> {
    let path = folder.join(file_name(function, sha256));
    let place = path.display().to_string();
    match fs::hard_link(partial, &path).await {
        Ok(()) => File::open(folder).await?.sync_all().await?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let about = fs::symlink_metadata(&path).await?;
            if !about.is_file() || about.len() != bytes {
                return Err(std::io::Error::other(format!("{place} is there, and is something else")));
            }
        }
        Err(error) => return Err(error),
    }
    Ok(Kept { sha256, bytes, place })
}

/// `<function>-<SHA-256 of the archive>.zip`. A function's name has no other characters than these; text that is none
/// must not lead out of the folder.
fn file_name(function: &str, sha256: [u8; 32]) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let name: String = function.chars().take(100).map(safe).collect();
    let name = if name.is_empty() { "function" } else { &name };
    format!("{name}-{}.zip", data_encoding::HEXLOWER.encode(&sha256))
}

fn not_kept(folder: &Path, error: &std::io::Error) -> CallError {
    CallError::NotSent { message: format!("the code cannot be kept in {}: {error}", folder.display()) }
}

/// The URL is a secret: no error may carry it.
fn unanswered(error: reqwest::Error) -> CallError {
    let error = error.without_url();
    if error.is_connect() {
        CallError::NotSent { message: chain(&error) }
    } else {
        CallError::Ambiguous { message: chain(&error) }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
