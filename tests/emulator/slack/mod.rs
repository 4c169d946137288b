//! Slack beside the account: deciding, attacks, faults, crashes.

mod deciding;
mod faults;
mod kills;
mod scene;
