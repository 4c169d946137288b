//! The command `sluicegate`.

use clap::Parser;
use sluicegate::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(Cli::parse())
}
