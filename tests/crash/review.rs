//! What must hold though several things happen at once, or nearly: each test is a way in which it once did not.

mod again;
mod contain;
mod decided;
pub mod front;
mod kept;
pub mod stage;
