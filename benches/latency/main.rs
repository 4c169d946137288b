//! How much longer a containment takes than the AWS calls that it is made of, and what it costs.
//! `cargo bench --bench latency` prints all; `cargo bench --bench latency -- 1000` takes so many events, not 200.
//!
//! The real `sluicegate` binary runs with the shipped policies and its journal on disk against a stub that answers as
//! AWS about does. Its runs alternate with the bare calls by the same SDK, so that whatever else the machine does meets
//! both. Both end when the stub answers the read that says `Disabled`; ours begins when the stub hands out the message.
//!
//! With `PYTHON` set to an interpreter that has boto3, the flood is also given to a plain handler in Python.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark"
)]

mod process;
mod stub;

use aws_config::{BehaviorVersion, Region};
use process::Cost;
use sandbox::{Account, Credentials, Product, Running};
use std::path::Path;
use std::time::{Duration, Instant};
use stub::{Mapping, Stub};

/// About what AWS takes to answer.
const DELAY: Duration = Duration::from_millis(25);
const REGION: &str = "eu-west-1";
const FLOOD: usize = 500;
/// So many of the first runs do not count: connections are made, and pages touched.
const WARM_UP: usize = 10;

#[tokio::main]
async fn main() {
    let events = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    latency(events).await;
    flood(DELAY).await;
    flood(Duration::ZERO).await;
    if let Some(python) = std::env::var_os("PYTHON") {
        boto3(&python, DELAY).await;
        boto3(&python, Duration::ZERO).await;
    }
}

/// The responder, with nothing in its way but AWS.
async fn start(stub: &Stub) -> (Product, Running) {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let binary = Path::new(env!("CARGO_BIN_EXE_sluicegate"));
    let unlimited = "[containment]\nmax_calls_per_second = 1000000";
    let product = Product::new(binary, &policies, &stub.queue_url(), unlimited).unwrap();
    let running = product.run(&Account::new(Credentials::root(), &stub.endpoint, REGION)).await.unwrap();
    (product, running)
}

/// Row 3, and the memory of a responder at rest.
async fn latency(events: usize) {
    let stub = Stub::start(DELAY).await;
    let (product, running) = start(&stub).await;
    let id = running.id().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("idle                {:6.1} MB resident", process::resident(id));

    let bare = bare_client(&stub).await;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for n in 0..events + WARM_UP {
        let uuid = stub.make(2 * n);
        let begun = Instant::now();
        contain(&bare, &uuid).await;
        theirs.push((begun, stub.mapping(&uuid)));

        let uuid = stub.make(2 * n + 1);
        stub.announce(std::slice::from_ref(&uuid));
        stub.until_settled(std::slice::from_ref(&uuid)).await;
        let mapping = stub.mapping(&uuid);
        ours.push((mapping.handed.unwrap(), mapping));
    }
    assert!(ours.iter().chain(&theirs).all(|(_, mapping)| mapping.updates == 1 && mapping.calls.len() == 3));
    println!("after {events:4} events   {:6.1} MB resident", process::resident(id));
    let flushes = process::flushes(product.home());
    println!("a flush to the disk {:6.2} ms median, {:6.2} ms p99", quantile(&flushes, 0.5), quantile(&flushes, 0.99));
    let (ours, theirs) = (&ours[WARM_UP..], &theirs[WARM_UP..]);
    report("Get + Update + Get", theirs);
    report("sluicegate", ours);
    for (name, part) in [("median", 0.5), ("p99", 0.99)] {
        println!("{name:7} sluicegate / bare  {:.3}", quantile(&whole(ours), part) / quantile(&whole(theirs), part));
    }
    running.terminate().await.unwrap();
}

async fn bare_client(stub: &Stub) -> aws_sdk_lambda::Client {
    let root = Credentials::root().sdk_config(&stub.endpoint, REGION);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(&stub.endpoint)
        .credentials_provider(root.credentials_provider().unwrap());
    aws_sdk_lambda::Client::new(&config.load().await)
}

/// What is held against: the three calls, and nothing else.
async fn contain(client: &aws_sdk_lambda::Client, uuid: &str) {
    client.get_event_source_mapping().uuid(uuid).send().await.unwrap();
    client.update_event_source_mapping().uuid(uuid).enabled(false).send().await.unwrap();
    let read = client.get_event_source_mapping().uuid(uuid).send().await.unwrap();
    assert_eq!(read.state(), Some("Disabled"));
}

fn whole(runs: &[(Instant, Mapping)]) -> Vec<f64> {
    runs.iter().map(|(begun, mapping)| ms(*begun, mapping.contained.unwrap())).collect()
}

fn report(name: &str, runs: &[(Instant, Mapping)]) {
    let whole = whole(runs);
    let median = |part: fn(&(Instant, Mapping)) -> f64| quantile(&runs.iter().map(part).collect::<Vec<_>>(), 0.5);
    println!(
        "{name:19} {:6.2} ms median, {:6.2} ms p99; before the calls {:.2}, {:.2} and {:.2} ms",
        quantile(&whole, 0.5),
        quantile(&whole, 0.99),
        median(|(begun, mapping)| ms(*begun, mapping.calls[0].0)),
        median(|(_, mapping)| ms(mapping.calls[0].1, mapping.calls[1].0)),
        median(|(_, mapping)| ms(mapping.calls[1].1, mapping.calls[2].0)),
    );
}

/// Row 4: many at once, without a limit.
async fn flood(delay: Duration) {
    let stub = Stub::start(delay).await;
    let (_product, running) = start(&stub).await;
    let id = running.id().unwrap();
    // Its connections are made, as those of a responder that runs are.
    let first = [stub.make(0)];
    stub.announce(&first);
    stub.until_settled(&first).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let before = Cost::of(id);
    let uuids = all_at_once(&stub);
    stub.until_settled(&uuids).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cost = Cost::of(id) - before;
    tell("sluicegate", delay, &stub, &uuids, cost.seconds());
    println!("    {:.1} MB resident after it, {:.1} MB at its most", process::resident(id), process::peak(id));
    running.terminate().await.unwrap();
}

/// The same by a plain handler in Python: 16 threads, no journal, no proof of the event, no read before the change.
async fn boto3(python: &std::ffi::OsStr, delay: Duration) {
    let stub = Stub::start(delay).await;
    let handler = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/latency/handler.py");
    let environment = Account::new(Credentials::root(), &stub.endpoint, REGION).environment();
    let handler = tokio::process::Command::new(python)
        .arg(handler)
        .args([stub.queue_url(), FLOOD.to_string()])
        .envs(environment)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Its clients are made when its first receive waits.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let uuids = all_at_once(&stub);
    stub.until_settled(&uuids).await;
    let said = handler.wait_with_output().await.unwrap();
    let seconds: f64 = String::from_utf8(said.stdout).unwrap().trim().parse().unwrap();
    tell("boto3, 16 threads", delay, &stub, &uuids, seconds);
}

fn all_at_once(stub: &Stub) -> Vec<String> {
    let uuids: Vec<String> = (1..=FLOOD).map(|n| stub.make(n)).collect();
    stub.announce(&uuids);
    uuids
}

fn tell(name: &str, delay: Duration, stub: &Stub, uuids: &[String], cpu: f64) {
    let mappings: Vec<Mapping> = uuids.iter().map(|uuid| stub.mapping(uuid)).collect();
    assert!(mappings.iter().all(|mapping| mapping.updates == 1));
    let first = mappings.iter().filter_map(|mapping| mapping.handed).min().unwrap();
    let last = mappings.iter().filter_map(|mapping| mapping.contained).max().unwrap();
    let took = (last - first).as_secs_f64();
    let count = uuids.len() as f64;
    println!(
        "{FLOOD} at once, answers after {} ms, {name}: {:.0} events/s, {:.2} ms of CPU an event, each disabled once",
        delay.as_millis(),
        count / took,
        1000.0 * cpu / count
    );
}

fn ms(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}
