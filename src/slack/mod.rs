//! Slack: cases are shown there, and people decide there.
//!
//! [`SlackClient`] is its Web API behind the port [`Chat`](crate::ports::Chat), at Slack's pace. [`Cards`] keeps one
//! message a case equal to its [`card`]. What people click comes in by [`SlackSocket`], is read by [`interaction`], and
//! goes to whatever takes [`Interactions`](crate::ports::Interactions). Nothing here is needed to contain a mapping: with
//! Slack down, or its tokens revoked, cards come late and nothing else does.

mod answer;
mod api;
mod backoff;
pub mod card;
mod client;
mod health;
pub mod interaction;
mod pace;
mod people;
mod reconcile;
mod socket;
mod start;
mod token;

pub use api::{API_URL, Api, TIME_OUT};
pub use client::SlackClient;
pub use health::{Alarms, SlackHealth};
pub use pace::Pace;
pub use reconcile::{CardParts, CardSettings, Cards};
pub use socket::{SlackSocket, SocketParts, SocketSettings};
pub use start::{Around, Slack};
pub use token::{AppId, Token, TokenKind};
