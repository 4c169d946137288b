//! An emulated AWS account for the demo and the tests.
//!
//! A client speaks to the *proxy*, as to AWS. The proxy passes each call on to the *emulator* (ministack, in a Python
//! virtual environment under the target directory), and writes what it sees to the *trail*: as `CloudTrail` does it
//! records the call, and as an `EventBridge` rule does it delivers the record to a queue. So any AWS client can play
//! the attacker, and the responder under test uses its real clients. *Faults* are scripted per call, from Rust or over
//! HTTP (`/_sandbox/…` on the same endpoint).
//!
//! Apart from it stands a *Slack double*, on a port of its own: a workspace with people who click, or are clicked for.

mod account;
mod calls;
mod emulator;
mod error;
mod eventually;
mod faults;
mod product;
mod proxy;
mod sandbox;
mod slack;
mod trail;
mod upstream;
mod wire;

pub use account::{Account, Credentials, Queue, RESTRICTING, SIPHON, allow, aws_error};
pub use calls::Call;
pub use emulator::{Moto, Progress, progress_on_stderr, target_dir};
pub use error::SandboxError;
pub use eventually::eventually;
pub use faults::{Armed, Effect, Fault, Faults};
pub use product::{Product, Running, Said};
pub use sandbox::{Options, Sandbox};
pub use slack::{
    Acknowledgement, ArmedSlackFault, Channel, ClickError, Group, Message, OpenView, RawClick, RawSubmission,
    SignedAnswer, SlackCall, SlackDouble, SlackEffect, SlackFault, SlackFaults, SlackOptions, SlackSdk, SocketFaults,
    Tampering, User, Warning,
};
pub use trail::{DeliveryFaults, Trail};
