//! `cargo demo`: an emulated account, a real siphon, and the real responder closing it.
#![allow(unreachable_pub, reason = "a binary")]

mod demo;

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match demo::play(&demo::Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            demo::screen::fail(&failure);
            ExitCode::FAILURE
        }
    }
}
