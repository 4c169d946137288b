//! What the mapping processed, as far as metrics tell.

use super::round::Round;
use crate::case::Evidence;
use crate::evidence::{Metric, Piece, found, metrics_window, questions};
use crate::ports::JournalError;

impl Round<'_> {
    pub(super) async fn processed(&self) -> Result<(), JournalError> {
        if !self.wants(Piece::Processed) {
            return Ok(());
        }
        let (case, finding) = (&self.case, &self.case.opened.finding);
        let now = self.responder.ports.clock.now();
        let questions = questions(case);
        let metrics: Vec<Metric> = questions.iter().map(|question| question.metric.clone()).collect();
        let (from, until) = metrics_window(case, now);
        let enrichment = &self.responder.ports.enrichment;
        let answers = if metrics.is_empty() {
            Ok(Vec::new())
        } else {
            self.bounded(enrichment.metrics(&finding.account, &finding.region, &metrics, from, until)).await
        };
        match answers {
            Ok(answers) => {
                let values = answers.into_iter().map(|seen| seen.value).chain(std::iter::repeat(None));
                let answers: Vec<_> = questions.into_iter().zip(values).collect();
                // When it began counts: an answer on its way is none of after.
                let processed = found(case, &answers, now);
                self.learnt(Piece::Processed, Evidence::Processed(Box::new(processed))).await
            }
            Err(missed) => self.missed(Piece::Processed, missed).await,
        }
    }
}
