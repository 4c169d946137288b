//! The function, and its code before somebody deletes it.

use super::round::{Missed, Round, within};
use crate::case::{CodeKept, Evidence, FunctionFacts};
use crate::evidence::{Piece, function_of, invokers, shared};
use crate::ports::{FunctionRead, JournalError, Kept};
use data_encoding::{BASE64, HEXLOWER};
use std::time::Duration;

/// How long a package may take at the first try; longer at each further one.
const FETCH: Duration = Duration::from_secs(20);
const LONGEST_FETCH: Duration = Duration::from_mins(5);
/// Lambda takes 50 MB directly, and 250 MB unzipped by way of S3.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LARGEST: u64 = 300 << 20;

impl Round<'_> {
    pub(super) async fn function(&self) -> Result<(), JournalError> {
        if !self.wants(Piece::Function) && !self.wants(Piece::Code) {
            return Ok(());
        }
        match self.read_function().await {
            Ok(read) => {
                // Its code may be gone in a second; what it is can still be told then.
                let (code, facts) = tokio::join!(self.code(&read), self.facts(&read));
                code.and(facts)
            }
            Err(missed) => {
                for piece in [Piece::Code, Piece::Function] {
                    if self.wants(piece) {
                        let Missed { why, in_vain } = &missed;
                        self.missed(piece, Missed { why: why.clone(), in_vain: *in_vain }).await?;
                    }
                }
                Ok(())
            }
        }
    }

    async fn read_function(&self) -> Result<FunctionRead, Missed> {
        let (finding, function) = (&self.case.opened.finding, function_of(&self.case));
        if !function.is_known() {
            return Err(Missed::in_vain("which function it is cannot be told"));
        }
        if function.account != finding.account {
            return Err(Missed::in_vain(format!("it belongs to account {}", function.account)));
        }
        let asked = self.responder.ports.enrichment.function(&finding.account, &finding.region, &function.arn);
        let read = self.bounded(asked).await?;
        read.ok_or_else(|| Missed::in_vain(format!("the function {} does not exist, or exists no more", function.name)))
    }

    async fn facts(&self, read: &FunctionRead) -> Result<(), JournalError> {
        if !self.wants(Piece::Function) {
            return Ok(());
        }
        let before = self.case.function_facts().cloned().unwrap_or_default();
        let facts = FunctionFacts {
            arn: read.arn.clone(),
            role: read.role.clone(),
            code_sha256: read.code_sha256.clone(),
            runtime: read.runtime.clone(),
            last_modified: read.last_modified.clone(),
            tags: read.tags.clone(),
            invokers: match &read.policy {
                Ok(policy) => invokers(policy),
                Err(error) => vec![format!("not known: {error}")],
            },
            same_account: Some(function_of(&self.case).account == self.case.opened.finding.account),
            shared_tags: self.case.source_facts().map(|source| shared(&read.tags, &source.tags)).unwrap_or_default(),
            changed_by_actor: before.changed_by_actor,
            made_by_actor: before.made_by_actor,
        };
        self.learnt(Piece::Function, Evidence::Function(Box::new(facts))).await
    }

    async fn code(&self, read: &FunctionRead) -> Result<(), JournalError> {
        if !self.wants(Piece::Code) {
            return Ok(());
        }
        match self.kept(read).await {
            Ok(kept) => {
                let differs = BASE64.encode(&kept.sha256) != read.code_sha256;
                let code = CodeKept {
                    sha256: HEXLOWER.encode(&kept.sha256),
                    bytes: kept.bytes,
                    place: kept.place,
                    differs: if differs { read.code_sha256.clone() } else { String::new() },
                };
                tracing::info!(sha256 = code.sha256, place = code.place, "the function's code is kept");
                self.learnt(Piece::Code, Evidence::CodeKept(code)).await
            }
            Err(missed) => self.missed(Piece::Code, missed).await,
        }
    }

    async fn kept(&self, read: &FunctionRead) -> Result<Kept, Missed> {
        let enrichment = &self.responder.ports.enrichment;
        if !enrichment.keeps_code() {
            return Err(Missed::in_vain("code is not kept: [evidence] keep_code is not set"));
        }
        if read.code_location.0.is_empty() {
            return Err(Missed::in_vain(match read.image.as_str() {
                "" => "Lambda does not say where the code is".to_owned(),
                image => format!("the function runs the container image {image}, which is not kept"),
            }));
        }
        let longer = FETCH.saturating_mul(self.failures(Piece::Code).saturating_add(1)).min(LONGEST_FETCH);
        let mut kept =
            within(longer, enrichment.keep_code(&read.code_location, &function_of(&self.case).name, LARGEST)).await;
        if let Err(missed) = &mut kept {
            // Where the URL lapsed, the next try has a fresh one.
            missed.in_vain &= !missed.why.contains("HTTP 403");
        }
        kept
    }
}
