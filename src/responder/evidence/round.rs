//! One look at a case: the pieces that are due, side by side, each bounded in time, each appended as it comes.

use super::watching::Tries;
use crate::case::{Case, CaseEvent, Evidence};
use crate::evidence::{Piece, Tried, is_news};
use crate::ports::{CallError, JournalError};
use crate::responder::Responder;
use std::sync::PoisonError;
use std::time::Duration;

/// How long one piece may take.
const PIECE: Duration = Duration::from_secs(15);

/// Why a piece could not be learnt.
pub(super) struct Missed {
    /// For people.
    pub(super) why: String,
    /// Trying again does not help.
    pub(super) in_vain: bool,
}

impl Missed {
    pub(super) fn in_vain(why: impl Into<String>) -> Self {
        Self { why: why.into(), in_vain: true }
    }
}

impl From<CallError> for Missed {
    fn from(error: CallError) -> Self {
        // What was denied may be granted: somebody reads the card and puts it right.
        Self { why: error.to_string(), in_vain: error.is_final() && !error.is_denied() }
    }
}

/// One look at a case.
pub(super) struct Round<'r> {
    pub(super) responder: &'r Responder,
    /// The case as it was when the look began.
    pub(super) case: Case,
    wanted: Vec<Piece>,
    now: tokio::sync::Mutex<Case>,
    tried: std::sync::Mutex<Tries>,
}

impl<'r> Round<'r> {
    pub(super) fn new(responder: &'r Responder, case: Case, wanted: Vec<Piece>, tried: Tries) -> Self {
        let (now, tried) = (tokio::sync::Mutex::new(case.clone()), std::sync::Mutex::new(tried));
        Self { responder, case, wanted, now, tried }
    }

    pub(super) fn wants(&self, piece: Piece) -> bool {
        self.wanted.contains(&piece)
    }

    /// Looks for all that is due. What a search of CloudTrail needs to know of the function comes first.
    pub(super) async fn run(&self) -> Result<(), JournalError> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let account = &self.case.opened.finding.account;
        if *account != self.responder.settings.account {
            let why = format!("account {account} cannot be read with these credentials");
            for piece in &self.wanted {
                self.missed(*piece, Missed::in_vain(why.clone())).await?;
            }
            return Ok(());
        }
        let (function, source, processed) = tokio::join!(self.function(), self.source(), self.processed());
        function.and(source).and(processed)?;
        self.history().await
    }

    /// The case now, and how each piece was tried.
    pub(super) fn end(self) -> (Case, Tries) {
        (self.now.into_inner(), self.tried.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for an answer no longer than a piece may take.
    pub(super) async fn bounded<T>(&self, asked: impl Future<Output = Result<T, CallError>>) -> Result<T, Missed> {
        within(PIECE, asked).await
    }

    /// Appends what was learnt, where it is new.
    pub(super) async fn learnt(&self, piece: Piece, evidence: Evidence) -> Result<(), JournalError> {
        self.note(piece, None);
        self.tell(evidence).await
    }

    /// Appends that a piece could not be learnt, where nothing is known of it, and why is new.
    pub(super) async fn missed(&self, piece: Piece, missed: Missed) -> Result<(), JournalError> {
        tracing::info!(what = piece.name(), why = missed.why, "evidence is missing");
        self.note(piece, Some(missed.in_vain));
        self.tell(Evidence::Unknown { what: piece.name().to_owned(), why: missed.why }).await
    }

    /// Appends what was learnt, where it is new, of a piece of which something is lacking: it is tried again, unless that
    /// is in vain.
    pub(super) async fn learnt_in_part(
        &self,
        piece: Piece,
        evidence: Evidence,
        in_vain: bool,
    ) -> Result<(), JournalError> {
        self.note(piece, Some(in_vain));
        self.tell(evidence).await
    }

    /// How often a piece failed so far.
    pub(super) fn failures(&self, piece: Piece) -> u32 {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.get(&piece).map_or(0, |tried| tried.failures)
    }

    /// The case as it is now, what this look has appended included.
    pub(super) async fn current(&self) -> Case {
        self.now.lock().await.clone()
    }

    /// `failed`: whether it failed, and then whether for good.
    fn note(&self, piece: Piece, failed: Option<bool>) {
        let at = self.responder.ports.clock.now();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tried.get(&piece).map_or(0, |tried| tried.failures);
        let failures = failed.map_or(0, |_| before.saturating_add(1));
        tried.insert(piece, Tried { at, failures, in_vain: failed.unwrap_or_default() });
    }

    /// Appends it, where it is new.
    pub(super) async fn tell(&self, evidence: Evidence) -> Result<(), JournalError> {
        let mut case = self.now.lock().await;
        if !is_news(&case, &evidence) {
            return Ok(());
        }
        self.responder.append(&mut case, &[CaseEvent::Evidence(evidence)]).await
    }
}

/// Waits for an answer for so long.
pub(super) async fn within<T>(bound: Duration, asked: impl Future<Output = Result<T, CallError>>) -> Result<T, Missed> {
    match tokio::time::timeout(bound, asked).await {
        Ok(answer) => answer.map_err(Missed::from),
        Err(_) => Err(Missed { why: format!("no answer within {} s", bound.as_secs()), in_vain: false }),
    }
}
