//! Slack: cases are shown there, and people decide there.
//!
//! [`SlackClient`] is its Web API behind the port [`Chat`](crate::ports::Chat). Nothing in it is needed to contain a
//! mapping: with Slack down, or its tokens revoked, cards come late and nothing else does.

mod answer;
mod api;
mod backoff;
pub mod card;
mod client;
mod health;
pub mod interaction;
mod pace;
mod people;
mod socket;
mod token;

pub use api::{API_URL, Api, TIME_OUT};
pub use client::SlackClient;
pub use health::{Alarms, SlackHealth};
pub use pace::Pace;
pub use socket::{SlackSocket, SocketParts, SocketSettings};
pub use token::{AppId, Token, TokenKind};
