//! The source: whose it is, how sensitive, and for how long it keeps what nobody reads.

use super::round::{Missed, Round};
use crate::case::{Evidence, SourceFacts};
use crate::evidence::{Piece, sensitive, source_of, tagged_arn, usual_retention};
use crate::mapping::{SourceKind, SourceRef};
use crate::ports::JournalError;

impl Round<'_> {
    pub(super) async fn source(&self) -> Result<(), JournalError> {
        if !self.wants(Piece::Source) {
            return Ok(());
        }
        let source = source_of(&self.case);
        if !source.is_known() {
            return self.missed(Piece::Source, Missed::in_vain("which source it is cannot be told")).await;
        }
        let (tags, (retention_s, retention_from)) = tokio::join!(self.tags(source), self.retention(source));
        let (tags, unknown, in_vain) = match tags {
            Ok(tags) => (tags, String::new(), false),
            Err(Missed { why, in_vain }) => (Vec::new(), why, in_vain),
        };
        let own = (!source.account.is_empty()).then(|| source.account == self.case.opened.finding.account);
        let lacking = !unknown.is_empty() || source.kind == SourceKind::Sqs && retention_s.is_none();
        let facts = SourceFacts {
            arn: source.arn.clone(),
            same_account: own,
            sensitive: sensitive(&tags),
            tags,
            tags_unknown: unknown,
            retention_s,
            retention_from,
        };
        let facts = Evidence::Source(Box::new(facts));
        if lacking {
            return self.learnt_in_part(Piece::Source, facts, in_vain).await;
        }
        self.learnt(Piece::Source, facts).await
    }

    async fn tags(&self, source: &SourceRef) -> Result<Vec<(String, String)>, Missed> {
        let (finding, arn) = (&self.case.opened.finding, tagged_arn(source));
        if arn.is_empty() {
            return Err(Missed::in_vain("a source of this kind has no tags that can be read"));
        }
        if source.account != finding.account {
            return Err(Missed::in_vain(format!("it belongs to account {}", source.account)));
        }
        self.bounded(self.responder.ports.enrichment.tags(&finding.account, &finding.region, &arn)).await
    }

    async fn retention(&self, source: &SourceRef) -> (Option<u64>, String) {
        let (finding, (usual, from)) = (&self.case.opened.finding, usual_retention(source.kind));
        if source.kind != SourceKind::Sqs {
            return (usual, from.to_owned());
        }
        let asked = self.responder.ports.enrichment.retention(&finding.account, &finding.region, &source.arn);
        match self.bounded(asked).await {
            Ok(Some(seconds)) => (Some(seconds), "SQS: the queue's MessageRetentionPeriod".to_owned()),
            Ok(None) => (usual, from.to_owned()),
            Err(missed) => (usual, format!("{from} ({})", missed.why)),
        }
    }
}
