//! `audit verify`: the journal's hash chain.

use super::{Failure, Format, Result, show, worker};
use crate::config::Config;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum AuditCommand {
    /// Walk the hash chain: a changed, inserted or deleted row shows
    Verify,
}

pub(super) async fn verify(config: &Config, format: Format) -> Result {
    let audit = worker::open_journal(config, false)?.audit().await?;
    match format {
        Format::Json => show::json(&json!({"rows": audit.rows, "damage": audit.damage})),
        Format::Text if audit.damage.is_empty() => show::line(&format!("{} rows, the chain holds", audit.rows)),
        Format::Text | Format::Html => audit.damage.iter().for_each(|damage| show::line(damage)),
    }
    if audit.damage.is_empty() { Ok(()) } else { Err(Failure::No) }
}
