//! A double of Slack: what the app speaks to instead, and what people, or tests in their place, click on.
//!
//! A call of the Web API goes through *faults* to *api*, which checks *blocks* by Slack's rules and changes the
//! *world*. A click makes a *payload*, put into an *envelope* that goes over a *socket* (or *signed*, over HTTP) and has
//! three seconds to be acknowledged. The *page* shows it all to a person; *control* does what a test can, over HTTP.

mod api;
mod blocks;
mod clicks;
mod control;
mod double;
mod envelope;
mod faults;
mod message;
mod options;
mod page;
mod payload;
mod respond;
mod sdk;
mod serve;
mod signed;
mod socket;
mod values;
mod world;

pub use clicks::{ClickError, RawClick, RawSubmission};
pub use double::SlackDouble;
pub use envelope::Acknowledgement;
pub use faults::{ArmedSlackFault, SlackEffect, SlackFault, SlackFaults, SocketFaults};
pub use message::Message;
pub use options::{Channel, Group, SlackOptions, User};
pub use sdk::SlackSdk;
pub use signed::{SignedAnswer, Tampering};
pub use world::{OpenView, SlackCall, Warning};
