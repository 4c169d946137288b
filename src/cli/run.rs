//! `run`: the responder, until SIGTERM.

use super::worker::World;
use super::{Failure, Format, Result, load_policies, read_policies};
use crate::clock::SystemClock;
use crate::config::{Config, SecretReader};
use crate::http::{self, Readiness};
use crate::intake::{Health, SqsIntake, SqsSettings};
use crate::policy::{PolicyFiles, Problem};
use crate::responder::Responder;
use crate::slack::{Around, Slack};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long what is in hand may take to come to an end.
const DRAIN: Duration = Duration::from_secs(10);
/// How long what is on its way to Slack may take meanwhile.
const LEAVE_SLACK: Duration = Duration::from_secs(8);
/// A task that a defect ended is begun again after this.
const AFTER_A_DEFECT: Duration = Duration::from_secs(1);
/// How often the policies are looked at.
const RELOAD: Duration = Duration::from_secs(1);
/// How often the journal is looked at for what the command line wrote.
const LOOK: Duration = Duration::from_millis(400);

pub(super) async fn run(config: Config) -> Result {
    let queue_url = config.queue_url()?.to_owned();
    let policies = load_policies(&config.policy.dir, Format::Text)?;
    let digest = policies.digest().to_owned();
    for unused in config.unused_sections() {
        tracing::warn!("{unused}");
    }
    let mut world = World::new(&config, true).await?;
    let slack = match &config.slack {
        Some(slack) => Some(Slack::read(slack, &Arc::new(SecretReader::new(world.aws.clone()))).await?),
        None => None,
    };
    world.chat = slack.as_ref().map(Slack::chat);
    let Some(_lock) = world.journal.lock_worker()? else {
        return Err(Failure::Usage(format!("another `sluicegate run` has the journal {}", config.journal.url)));
    };
    if let Some(found) = world.journal.settle_damage().await? {
        tracing::error!(found, "the journal is not as it was left; `sluicegate audit verify` tells more. It goes on");
    }
    let (stop, stopping) = watch::channel(false);
    let responder = world.responder(&config, policies, stopping.clone()).await?;
    let sweep = world.sweep(&config, &responder)?;
    let sqs = world.aws.sqs();
    SqsIntake::check(&sqs, &queue_url)
        .await
        .map_err(|error| Failure::Outside(format!("the queue {queue_url} cannot be used: {error}")))?;
    let health = Health::default();
    let readiness = Readiness {
        journal: Arc::new(world.journal.clone()),
        intake: health.clone(),
        slack: slack.as_ref().map(Slack::health),
    };
    let listen = config.http.listen;
    let address = http::serve(listen, readiness, stopping.clone())
        .await
        .map_err(|error| Failure::Outside(format!("[http] listen = \"{listen}\": {error}")))?;
    responder.begun(&digest).await?;
    let unfinished = responder.resume().await?;
    let settings = SqsSettings { queue_url, receivers: config.intake.receivers, in_flight: config.intake.in_flight };
    let intake = SqsIntake::new(sqs, settings, responder.clone(), health);
    tracing::info!(
        mode = ?config.mode, identity = %responder.settings().identity, http = %address, unfinished,
        policy = digest.get(..12).unwrap_or_default(), "ready"
    );
    let receiving = tokio::spawn({
        let stopping = stopping.clone();
        async move { intake.run(stopping).await }
    });
    let dir = config.policy.dir.clone();
    keep_up("policies", &responder, &stopping, move |responder, stopping| reload(dir.clone(), responder, stopping));
    keep_up("votes", &responder, &stopping, take_votes);
    keep_up("offers", &responder, &stopping, |responder, _| async move { responder.tend_offers().await });
    keep_up("restrictions", &responder, &stopping, |responder, _| async move { responder.watch_restrictions().await });
    keep_up("time", &responder, &stopping, |responder, _| async move { responder.keep_time().await });
    keep_up("evidence", &responder, &stopping, |responder, _| async move { responder.gather().await });
    keep_up("sweep", &sweep, &stopping, |sweep, _| sweep.run());
    let in_slack = slack.map(|slack| slack.start(around(&world, &responder), &stopping)).unwrap_or_default();
    wait_for_signal().await?;
    tracing::info!("stopping");
    // Nobody listening is fine: then all have ended already.
    let _ = stop.send(true);
    tokio::join!(drain(receiving, &responder), leave(in_slack));
    world.journal.close().await?;
    tracing::info!("stopped");
    Ok(())
}

fn around(world: &World, responder: &Responder) -> Around {
    Around {
        journal: Arc::new(world.journal.clone()),
        sink: Arc::new(responder.clone()),
        about: Arc::new({
            let responder = responder.clone();
            move |case| responder.about(case)
        }),
        clock: Arc::new(SystemClock),
    }
}

/// A task beside all else; where a defect ends it, that is told, and it is begun again.
fn keep_up<C, T, F>(task: &'static str, with: &C, stopping: &watch::Receiver<bool>, begin: T)
where
    C: Clone + Send + 'static,
    T: Fn(C, watch::Receiver<bool>) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (with, stopping) = (with.clone(), stopping.clone());
    tokio::spawn(async move {
        while tokio::spawn(begin(with.clone(), stopping.clone())).await.is_err() && !*stopping.borrow() {
            tracing::error!(alarm = true, task, "a defect ended a task; it is begun again. Please report it");
            tokio::time::sleep(AFTER_A_DEFECT).await;
        }
    });
}

async fn wait_for_signal() -> Result {
    let no_handler = |error| Failure::Outside(format!("no signal handler: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_handler)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_handler)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn drain(receiving: tokio::task::JoinHandle<()>, responder: &Responder) {
    let deadline = Instant::now() + DRAIN;
    if tokio::time::timeout(DRAIN, receiving).await.is_err() {
        tracing::warn!("messages in hand were not finished in time; they come again after their visibility time-out");
    }
    while responder.at_work() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if responder.at_work() > 0 {
        tracing::warn!(cases = responder.at_work(), "cases are taken up again at the next start");
    }
}

async fn leave(in_slack: JoinSet<()>) {
    if tokio::time::timeout(LEAVE_SLACK, in_slack.join_all()).await.is_err() {
        tracing::warn!("what was on its way to Slack is looked up there at the next start");
    }
}

/// Takes a changed policy set into force, whole, or keeps the last good one and says so.
async fn reload(dir: PathBuf, responder: Responder, stopping: watch::Receiver<bool>) {
    let mut last: Option<std::result::Result<PolicyFiles, Vec<Problem>>> = None;
    while !*stopping.borrow() {
        tokio::time::sleep(RELOAD).await;
        let now = Some(crate::policy_files::read(&dir));
        if now == last {
            continue;
        }
        last = now;
        let outcome = match read_policies(&dir) {
            Ok((set, _)) => responder.change_policies(set).await,
            Err(problems) => responder.refuse_policies(problems.iter().map(ToString::to_string).collect()).await,
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "the change of policies is not in the journal");
        }
    }
}

async fn take_votes(responder: Responder, stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        if let Err(error) = responder.take_ballots().await {
            tracing::error!(%error, "votes cannot be taken");
        }
        responder.vote_cast(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_task_that_a_defect_ended_is_begun_again() {
        let (begun, (_stop, stopping)) = (Arc::new(AtomicU32::new(0)), watch::channel(false));
        keep_up("test", &begun, &stopping, |begun, _| async move {
            assert_ne!(begun.fetch_add(1, Ordering::SeqCst), 0, "a defect, in a test");
        });
        tokio::time::sleep(AFTER_A_DEFECT * 2).await;
        assert_eq!(begun.load(Ordering::SeqCst), 2, "once again, and not after it came to its end");
    }
}
