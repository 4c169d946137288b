//! Archives in S3: the port [`Remote`] on the SDK.

use super::clients::AwsSettings;
use super::errors::call_error;
use crate::archive::{Fetched, Remote};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Region};
use aws_sdk_s3::error::SdkError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many folders are listed at once. CloudTrail lays its files down by account, region and day, so these are days.
const LISTINGS: usize = 16;
/// How many objects are fetched at once.
const FETCHES: usize = 16;
/// How many bytes of objects may be under way. One object that is larger than all of it comes alone.
const BYTES_AHEAD: u64 = 24 << 20;
/// How many objects may be listed ahead of being fetched.
const LISTED_AHEAD: usize = 4_096;
/// Folders of `CloudTrail` that hold no records, but the digests of the files that do.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
const NO_RECORDS: &str = "/CloudTrail-Digest/";

/// Objects of S3, with the environment's credentials. It blocks, on a runtime of its own.
#[derive(Debug)]
pub struct S3Archives {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

/// An object as a listing shows it.
#[derive(Debug)]
struct Object {
    key: String,
    bytes: u64,
}

/// What is wanted, and whether anybody still wants it.
struct Wanted<'a> {
    found: &'a (dyn Fn(u64, u64) + Sync),
    into: &'a (dyn Fn(Fetched) -> bool + Sync),
    over: AtomicBool,
}

impl S3Archives {
    /// With the environment's configuration. To be made outside of any runtime.
    pub fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        let aws = runtime.block_on(AwsSettings::load());
        aws.region()?;
        // Nothing is recorded of these tries, so they can be the SDK's own; and an object may be large.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_mins(2))
            .build();
        let config = Builder::from(&aws.sdk).retry_config(RetryConfig::standard().with_max_attempts(6));
        let client = Client::from_conf(config.timeout_config(timeouts).build());
        Ok(Self { runtime, client })
    }

    /// A client for the region that the bucket is in, which need not be the environment's.
    async fn client_for(&self, bucket: &str) -> Result<Client, String> {
        let region = match self.client.head_bucket().bucket(bucket).send().await {
            Ok(answer) => answer.bucket_region().map(str::to_owned),
            Err(SdkError::ServiceError(failed)) if failed.raw().headers().get("x-amz-bucket-region").is_some() => {
                failed.raw().headers().get("x-amz-bucket-region").map(str::to_owned)
            }
            Err(SdkError::ServiceError(failed)) if failed.raw().status().as_u16() == 404 => {
                return Err(format!("s3://{bucket}: there is no such bucket"));
            }
            Err(error) => return Err(format!("s3://{bucket} cannot be read: {}", call_error(error))),
        };
        let Some(region) = region.filter(|region| !region.is_empty()) else { return Ok(self.client.clone()) };
        let config = self.client.config().to_builder().region(Region::new(region));
        Ok(Client::from_conf(config.build()))
    }
}

impl Remote for S3Archives {
    fn fetch(
        &self,
        bucket: &str,
        prefix: &str,
        found: &(dyn Fn(u64, u64) + Sync),
        into: &(dyn Fn(Fetched) -> bool + Sync),
    ) -> Result<(), String> {
        let wanted = Wanted { found, into, over: AtomicBool::new(false) };
        self.runtime.block_on(async {
            let client = self.client_for(bucket).await?;
            let (listed, objects) = mpsc::channel(LISTED_AHEAD);
            let (listing, ()) = tokio::join!(
                list(&client, bucket, prefix, &wanted, listed),
                hand_over(&client, bucket, objects, &wanted)
            );
            listing
        })
    }
}

/// Lists folder by folder, many at once, and sends what it finds.
async fn list(
    client: &Client,
    bucket: &str,
    prefix: &str,
    wanted: &Wanted<'_>,
    listed: mpsc::Sender<Object>,
) -> Result<(), String> {
    let mut waiting = vec![prefix.to_owned()];
    let mut at_work = JoinSet::new();
    loop {
        while at_work.len() < LISTINGS
            && let Some(folder) = waiting.pop()
        {
            at_work.spawn(page(client.clone(), bucket.to_owned(), folder, None));
        }
        let Some(done) = at_work.join_next().await else { return Ok(()) };
        let Page { folder, objects, folders, next } = done.map_err(|error| format!("a listing ended: {error}"))??;
        if let Some(next) = next {
            at_work.spawn(page(client.clone(), bucket.to_owned(), folder, Some(next)));
        }
        waiting.extend(folders.into_iter().filter(|folder| !folder.ends_with(NO_RECORDS)));
        (wanted.found)(objects.len() as u64, objects.iter().map(|object| object.bytes).sum());
        for object in objects {
            if wanted.over.load(Ordering::Relaxed) || listed.send(object).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// A page of a folder's listing.
struct Page {
    folder: String,
    objects: Vec<Object>,
    folders: Vec<String>,
    next: Option<String>,
}

async fn page(client: Client, bucket: String, folder: String, token: Option<String>) -> Result<Page, String> {
    let list = client.list_objects_v2().bucket(&bucket).prefix(&folder).delimiter("/").set_continuation_token(token);
    let answer = list
        .send()
        .await
        .map_err(|error| format!("s3://{bucket}/{folder} cannot be listed (s3:ListBucket): {}", call_error(error)))?;
    let mut objects = Vec::new();
    for object in answer.contents() {
        // An empty object that ends so is what the console makes of a folder.
        if let Some(key) = object.key().filter(|key| !key.ends_with('/') && !key.contains(NO_RECORDS)) {
            objects.push(Object { key: key.to_owned(), bytes: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0) });
        }
    }
    let folders = answer.common_prefixes().iter().filter_map(|common| common.prefix()).map(str::to_owned).collect();
    let next = answer.next_continuation_token().filter(|_| answer.is_truncated() == Some(true)).map(str::to_owned);
    Ok(Page { folder, objects, folders, next })
}

/// Fetches what is listed, many at once, and hands it over; no more than [`BYTES_AHEAD`] are held meanwhile.
async fn hand_over(client: &Client, bucket: &str, mut objects: mpsc::Receiver<Object>, wanted: &Wanted<'_>) {
    let mut at_work = JoinSet::new();
    let mut held = 0;
    loop {
        let object = tokio::select! {
            Some(done) = at_work.join_next(), if !at_work.is_empty() => {
                held -= give(done, wanted);
                continue;
            }
            object = objects.recv() => object,
        };
        let Some(object) = object.filter(|_| !wanted.over.load(Ordering::Relaxed)) else { break };
        while at_work.len() >= FETCHES || held + object.bytes > BYTES_AHEAD {
            let Some(done) = at_work.join_next().await else { break };
            held -= give(done, wanted);
        }
        held += object.bytes;
        let (client, bucket) = (client.clone(), bucket.to_owned());
        at_work.spawn(async move { (fetch(&client, &bucket, &object.key).await, object.bytes) });
    }
    while let Some(done) = at_work.join_next().await {
        give(done, wanted);
    }
}

/// Hands one over; gives the bytes that are held no more.
fn give(done: Result<(Fetched, u64), tokio::task::JoinError>, wanted: &Wanted<'_>) -> u64 {
    let (fetched, bytes) = done.unwrap_or_else(|error| {
        let bytes = Err(format!("a defect ended its reading: {error}"));
        (Fetched { name: "an object".into(), bytes }, 0)
    });
    // It blocks while the readers are busy; the runtime's own threads go on with what is under way.
    if !tokio::task::block_in_place(|| (wanted.into)(fetched)) {
        wanted.over.store(true, Ordering::Relaxed);
    }
    bytes
}

async fn fetch(client: &Client, bucket: &str, key: &str) -> Fetched {
    let name = format!("s3://{bucket}/{key}");
    let get = client.get_object().bucket(bucket).key(key).send().await;
    let bytes = match get {
        Ok(answer) => answer
            .body
            .collect()
            .await
            .map(aws_smithy_types::byte_stream::AggregatedBytes::to_vec)
            .map_err(|error| error.to_string()),
        Err(error) => Err(call_error(error).to_string()),
    };
    Fetched { name, bytes: bytes.map_err(|why| format!("it cannot be fetched: {why}")) }
}
