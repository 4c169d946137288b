//! `decide` and `restore`: decide without Slack. The vote is signed with the caller's AWS credentials; the worker
//! verifies it, or, where none runs, this process does, and carries it out itself.

use super::worker::World;
use super::{Failure, Format, Result, load_policies, show};
use crate::case::{Case, CaseId, Decision, Plan, State, Summary};
use crate::config::Config;
use crate::journal::SqliteJournal;
use crate::ports::{AwsProof, Ballot, Journal, Proof};
use crate::responder::Responder;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long to wait for the worker before giving the terminal back; the vote goes on without it.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Args)]
pub(super) struct DecideArgs {
    /// The case's id, sg-…
    id: String,
    /// leave, keep, disable, freeze, delete, `delete_restrict`, restore or lift
    decision: Decision,
    /// Why: kept in the journal.
    #[arg(long, value_name = "R")]
    reason: Option<String>,
    /// The digest of the plan that you have seen; then nothing is asked.
    #[arg(long, value_name = "DIGEST")]
    plan: Option<String>,
    /// Decide on the plan as it is now, without being asked.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The case's id, sg-…
    id: String,
    /// Why: kept in the journal.
    #[arg(long, value_name = "R")]
    reason: Option<String>,
}

impl From<RestoreArgs> for DecideArgs {
    fn from(args: RestoreArgs) -> Self {
        Self { id: args.id, decision: Decision::Restore, reason: args.reason, plan: None, yes: true }
    }
}

pub(super) async fn decide(config: &Config, args: &DecideArgs, format: Format) -> Result {
    let id: CaseId = args.id.parse().map_err(Failure::Usage)?;
    let world = World::new(config, false).await?;
    let Some(case) = world.journal.case(&id).await? else {
        return Err(Failure::Usage(format!("there is no case {id} in this journal (see `sluicegate cases`)")));
    };
    let reason = reason(args)?;
    let plans = Responder::plans(&case, args.decision).map_err(|why| {
        show::complain(&format!("{id}: {why}"));
        Failure::No
    })?;
    let Some(plan) = agreed(&case, &plans, args)? else {
        return Err(Failure::No);
    };
    let ballot = Ballot {
        id: format!("{:032x}", fastrand::u128(..)),
        case_id: id.clone(),
        decision: args.decision,
        plan: plan.digest.clone(),
        reason,
        proof: unsigned(),
        confirms: None,
    };
    cast(config, &world, ballot, format).await
}

fn unsigned() -> Proof {
    Proof::Aws(AwsProof { host: String::new(), headers: Vec::new() })
}

/// `confirm CODE`: a vote that came by Slack counts once the same person shows up under their AWS identity.
pub(super) async fn confirm(config: &Config, code: &str, format: Format) -> Result {
    let world = World::new(config, false).await?;
    let code = code.trim().to_ascii_uppercase();
    let case = match world.journal.case_of_code(&code).await? {
        Some(id) => world.journal.case(&id).await?,
        None => None,
    };
    let waiting = case.as_ref().and_then(|case| case.unconfirmed.iter().find(|(known, _)| *known == code));
    let (Some(case), Some((_, vote))) = (&case, waiting) else {
        return Err(Failure::Usage(format!(
            "no vote waits for the code {code}: it was confirmed already, or the question is another now"
        )));
    };
    show::complain(&format!("{}: confirming {} by {}", case.id, vote.decision, vote.person));
    let ballot = Ballot {
        id: format!("{:032x}", fastrand::u128(..)),
        case_id: case.id.clone(),
        decision: vote.decision,
        plan: vote.plan.clone(),
        reason: vote.reason.clone(),
        proof: unsigned(),
        confirms: Some(code),
    };
    cast(config, &world, ballot, format).await
}

/// Signs a vote, puts it where the worker finds it, and waits for what comes of it.
async fn cast(config: &Config, world: &World, mut ballot: Ballot, format: Format) -> Result {
    ballot.proof = Proof::Aws(world.identity.sign(&ballot.claim()).await.map_err(Failure::Outside)?);
    world.journal.cast(&ballot).await?;
    let after = match world.journal.lock_worker()? {
        Some(_lock) => carry_out(config, world, &ballot).await?,
        None => wait_for_worker(&world.journal, &ballot).await?,
    };
    report(&world.journal, &ballot, &after, format).await
}

fn reason(args: &DecideArgs) -> Result<String> {
    match (&args.reason, args.decision) {
        (Some(reason), _) if !reason.trim().is_empty() => Ok(reason.trim().to_owned()),
        (None, Decision::Restore) => Ok("restored on the command line".into()),
        _ => Err(Failure::Usage("--reason is needed: it is what the journal tells those who come later".into())),
    }
}

/// Shows the plans, and asks, unless the caller has seen one; gives the plan that they agree to.
fn agreed<'p>(case: &Case, plans: &'p [Plan], args: &DecideArgs) -> Result<Option<&'p Plan>> {
    let Some(narrowest) = plans.first() else { return Ok(None) };
    if let Some(digest) = &args.plan {
        // A short form is enough to say which plan was seen, as long as it is not too short.
        let seen = |plan: &&Plan| digest.len() >= 8 && plan.digest.starts_with(digest.as_str());
        let found = plans.iter().find(seen);
        if found.is_none() {
            let now: Vec<&str> = plans.iter().map(|plan| plan.digest.as_str()).collect();
            show::complain(&format!(
                "{}: the plan is another than {digest}: it is {} now. Look again: sluicegate case {}",
                case.id,
                now.join(" or "),
                case.id
            ));
        }
        return Ok(found);
    }
    if args.yes {
        return Ok(Some(narrowest));
    }
    for plan in plans {
        show::complain(&format!("{}: {} would do (plan {}):", case.id, plan.decision, plan.digest));
        for step in &plan.steps {
            show::complain(&format!("  {} ({})", step.call.describe(), step.step.side_effects()));
        }
        if plan.steps.is_empty() {
            show::complain("  nothing in AWS");
        }
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("say that you have seen it: --plan {} (or --yes)", narrowest.digest)));
    }
    let _ = write!(std::io::stderr(), "Decide {}, by the first plan? [y/N] ", narrowest.decision);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| Failure::Outside(format!("no answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes").then_some(narrowest))
}

/// No worker runs: verify and carry it out here.
async fn carry_out(config: &Config, world: &World, ballot: &Ballot) -> Result<Case> {
    let policies = load_policies(&config.policy.dir, Format::Text)?;
    let (_stop, stopping) = watch::channel(false);
    let responder = world.responder(config, policies, stopping).await?;
    responder.take_ballots().await?;
    Ok(responder.drive_to_rest(&ballot.case_id).await?)
}

async fn wait_for_worker(journal: &SqliteJournal, ballot: &Ballot) -> Result<Case> {
    let began = Instant::now();
    loop {
        let taken = !journal.ballots().await?.iter().any(|waiting| waiting.id == ballot.id);
        let case = journal.case(&ballot.case_id).await?;
        let case = case.ok_or_else(|| Failure::Outside(format!("{} is gone from the journal", ballot.case_id)))?;
        if taken && case.state != State::Acting {
            return Ok(case);
        }
        if began.elapsed() > PATIENCE {
            return Err(Failure::Outside(format!(
                "{}: the vote is cast, and the worker has not finished it yet; see `sluicegate case {}`",
                ballot.case_id, ballot.case_id
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn report(journal: &SqliteJournal, ballot: &Ballot, case: &Case, format: Format) -> Result {
    if let Some(why) = journal.refusal(&ballot.id).await? {
        show::complain(&format!("{}: {} is refused: {why}", case.id, ballot.decision));
        return Err(Failure::No);
    }
    if format == Format::Json {
        show::json(&Summary::of(case));
    }
    let done = case.approved.as_ref().is_some_and(|tally| tally.plan.digest == ballot.plan);
    let words = match (case.state, done) {
        (State::Closed, true) => format!("{}: {} done and read back", case.id, ballot.decision),
        (State::AwaitingDecision, true) => {
            format!("{}: {} done; it waits for what comes next", case.id, ballot.decision)
        }
        (_, false) => format!("{}: your vote counts; more people are needed", case.id),
        (state, true) => {
            show::complain(&format!("{}: {} is not finished: the case is {state:?}", case.id, ballot.decision));
            return Err(Failure::Outside(format!("see `sluicegate case {}`", case.id)));
        }
    };
    if format == Format::Text {
        show::line(&words);
    }
    Ok(())
}
