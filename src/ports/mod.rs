//! The outside world, as the responder sees it. Each method says what repeating it, its failing and its timing out mean.

mod call;
mod chat;
mod enrichment;
mod iam;
mod identity;
mod interaction;
mod journal;
mod lambda;

pub use call::{Acknowledged, CallError};
pub use chat::{Chat, ChatError, ChatUser, Message, Metadata, Posted, Workspace};
pub use enrichment::{CodeLocation, Enrichment, FunctionRead, Kept, Seen};
pub use iam::{Iam, PrincipalRead};
pub use identity::{AwsProof, Identity};
pub use interaction::{Ack, Interaction, Interactions, ModalWanted, Rating};
pub use journal::{
    Ballot, CardState, Journal, JournalError, Known, MappingKnown, Opening, Proof, Recorded, SlackProof,
};
pub use lambda::{Lambda, NewMapping, SearchBy, Trail};

use jiff::Timestamp;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
