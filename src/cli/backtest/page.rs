//! The report.

use super::{Read, Sink};
use crate::cli::{Failure, Result};
use crate::history::Backtest;

pub(super) fn write(_out: &mut Sink, _read: &Read<'_>, _told: &Backtest<'_>) -> Result {
    Err(Failure::Usage("later".into()))
}
