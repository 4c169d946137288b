//! `GetMetricData`, one number a metric.

use super::errors::call_error;
use crate::evidence::Metric;
use crate::ports::{CallError, Seen};
use aws_sdk_cloudwatch::types::{Dimension, Metric as Named, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};

/// Data points of a minute are kept for 15 days.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
const BY_MINUTES: SignedDuration = SignedDuration::from_hours(10 * 24);
/// A day has 1,440 minutes, and a page 100,800 points.
const PAGES: u32 = 10;

/// Reads each metric over the time: its sum, or its maximum. `place` waits for a place under the limit.
pub(super) async fn read<F: Future<Output = ()>>(
    client: &aws_sdk_cloudwatch::Client,
    place: impl Fn() -> F,
    metrics: &[Metric],
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Seen>, CallError> {
    let period = if until.duration_since(from) > BY_MINUTES { 3_600 } else { 60 };
    let queries: Vec<MetricDataQuery> =
        metrics.iter().enumerate().map(|(index, metric)| query(index, metric, period)).collect();
    let mut seen = vec![Seen { value: None }; metrics.len()];
    let mut token: Option<String> = None;
    for _ in 0..PAGES {
        place().await;
        let ask = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(until.as_second()))
            .set_next_token(token);
        let answer = ask.send().await.map_err(call_error)?;
        for result in answer.metric_data_results() {
            let index = result.id().and_then(|id| id.strip_prefix('m')).and_then(|index| index.parse::<usize>().ok());
            let asked = index.and_then(|index| Some((metrics.get(index)?, seen.get_mut(index)?)));
            let Some((metric, seen)) = asked else {
                return Err(CallError::Nonsense { message: "CloudWatch answers what was not asked".into() });
            };
            for value in result.values() {
                let known = seen.value.unwrap_or(0.0);
                seen.value = Some(if metric.statistic == "Maximum" { known.max(*value) } else { known + value });
            }
        }
        token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Ok(seen);
        }
    }
    Err(CallError::Nonsense { message: "CloudWatch has no end of pages".into() })
}

fn query(index: usize, metric: &Metric, period: i32) -> MetricDataQuery {
    let dimensions =
        metric.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect();
    let named =
        Named::builder().namespace(&metric.namespace).metric_name(&metric.name).set_dimensions(Some(dimensions));
    let stat = MetricStat::builder().metric(named.build()).period(period).stat(&metric.statistic).build();
    MetricDataQuery::builder().id(format!("m{index}")).metric_stat(stat).build()
}
