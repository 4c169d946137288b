//! Archives read as a whole: folders, what is fetched, what is damaged, who looks on.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures;
use std::fs::{create_dir_all, write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

fn options(threads: usize) -> Options {
    Options { threads, thorough: false }
}

fn local(path: &Path) -> Vec<Place> {
    vec![Place::Local(path.to_owned())]
}

/// The fixture with another event id.
fn create(id: &str) -> String {
    let text = String::from_utf8(fixtures::bytes("create-sqs.json")).unwrap();
    text.replace("e5a1c0de-0000-4000-8000-000000000001", id)
}

fn ids(archive: Archive) -> Vec<String> {
    archive.findings.map(|finding| finding.unwrap().event.id).collect()
}

#[derive(Default)]
struct Counts([AtomicU64; 5]);

impl Counts {
    fn add(&self, counts: &[(usize, u64)]) {
        for (which, count) in counts {
            self.0[*which].fetch_add(*count, Ordering::Relaxed);
        }
    }

    fn all(&self) -> [u64; 5] {
        std::array::from_fn(|which| self.0[which].load(Ordering::Relaxed))
    }
}

impl Watch for Counts {
    fn found(&self, files: u64, bytes: u64) {
        self.add(&[(0, files), (1, bytes)]);
    }

    fn read(&self, files: u64, bytes_compressed: u64, bytes_raw: u64) {
        self.add(&[(2, files), (3, bytes_compressed), (4, bytes_raw)]);
    }
}

#[test]
fn a_folder_is_read_by_any_number_of_threads_alike() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..300 {
        let folder = dir.path().join(format!("2024/{}", n % 7));
        create_dir_all(&folder).unwrap();
        // Every id in two files.
        write(folder.join(format!("{n}.json")), create(&format!("id-{:03}", n / 2))).unwrap();
    }
    write(dir.path().join("broken.json"), "{\"Records\":[{\"eventID\":\"1\"},oops").unwrap();
    let mut answers = Vec::new();
    for threads in [0, 1, 2, 7] {
        let watch = Counts::default();
        let archive = read(&local(dir.path()), &options(threads), None, &watch).unwrap();
        let totals = archive.totals;
        assert_eq!((totals.files, totals.records, totals.findings, totals.errors), (301, 301, 150, 1));
        let seen = watch.all();
        assert_eq!(seen, [301, totals.bytes_compressed, 301, totals.bytes_compressed, totals.bytes_raw]);
        answers.push((totals, archive.damaged.clone(), ids(archive)));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let (_, damaged, ids) = &answers[0];
    assert!(damaged[0].source.ends_with("broken.json") && !damaged[0].position.is_empty());
    assert!(ids.is_sorted());
}

#[test]
fn the_first_thousand_damaged_places_are_named_and_all_counted() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..60 {
        write(dir.path().join(format!("{n:02}.json")), "{}\n".repeat(100)).unwrap();
    }
    let archive = read(&local(dir.path()), &options(3), None, &Unwatched).unwrap();
    assert_eq!((archive.totals.errors, archive.damaged.len()), (6000, 1000));
    let places: Vec<(String, String)> = (archive.damaged.iter())
        .map(|damaged| (damaged.source.rsplit('/').next().unwrap().to_owned(), damaged.position.clone()))
        .collect();
    let expected: Vec<(String, String)> =
        (0..1000).map(|n| (format!("{:02}.json", n / 100), format!("line {}, column 1", n % 100 + 1))).collect();
    assert_eq!(places, expected);
}

#[test]
fn a_file_that_may_not_be_read_is_damage_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let (closed, open) = (dir.path().join("closed.json"), dir.path().join("open.json"));
    write(&closed, create("closed")).unwrap();
    write(&open, create("open")).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The system's administrator may read anything.
    let all_powerful = std::fs::read(&closed).is_ok();
    let archive = read(&local(dir.path()), &options(2), None, &Unwatched).unwrap();
    assert_eq!(archive.totals.files, 2);
    assert_eq!(archive.totals.errors, u64::from(!all_powerful));
    assert!(ids(archive).contains(&"open".to_owned()));
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let missing = local(Path::new("/no/such/path"));
    assert!(matches!(read(&missing, &options(1), None, &Unwatched), Err(ArchiveError::Path { .. })));
}

/// Hands over so many objects of the bucket, a thread each.
struct Bucket {
    objects: usize,
    fails: bool,
    /// Objects that were still wanted.
    taken: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl Bucket {
    fn new(objects: usize, fails: bool) -> Self {
        Self { objects, fails, taken: AtomicUsize::new(0), asked: Mutex::default() }
    }
}

impl Remote for Bucket {
    fn fetch(
        &self,
        bucket: &str,
        prefix: &str,
        found: &(dyn Fn(u64, u64) + Sync),
        into: &(dyn Fn(Fetched) -> bool + Sync),
    ) -> Result<(), String> {
        self.asked.lock().unwrap().push(format!("{bucket}/{prefix}"));
        std::thread::scope(|scope| {
            for n in 0..self.objects {
                scope.spawn(move || {
                    found(1, 10);
                    let bytes =
                        if n == 3 { Err("AccessDenied".to_owned()) } else { Ok(create(&format!("id-{n:03}")).into()) };
                    if into(Fetched { name: format!("s3://{bucket}/{n}"), bytes }) {
                        self.taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        if self.fails { Err("NoSuchBucket".to_owned()) } else { Ok(()) }
    }
}

fn s3() -> Place {
    "s3://logs/AWSLogs/".parse().unwrap()
}

#[test]
fn what_is_fetched_is_read_beside_what_lies_here() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path().join("1.json"), create("here")).unwrap();
    let bucket = Bucket::new(40, false);
    let watch = Counts::default();
    let places = [s3(), Place::Local(dir.path().to_owned())];
    let archive = read(&places, &options(2), Some(&bucket), &watch).unwrap();
    assert_eq!((archive.totals.files, archive.totals.findings, archive.totals.errors), (41, 40, 1));
    assert_eq!(
        (archive.damaged[0].source.as_str(), archive.damaged[0].error.as_str()),
        ("s3://logs/3", "AccessDenied")
    );
    assert_eq!(watch.all()[0], 41);
    assert_eq!(*bucket.asked.lock().unwrap(), ["logs/AWSLogs/"]);
    assert_eq!(bucket.taken.load(Ordering::Relaxed), 40);
}

#[test]
fn a_bucket_that_cannot_be_listed_is_an_error() {
    let failed = read(&[s3()], &options(2), Some(&Bucket::new(5, true)), &Unwatched);
    assert!(matches!(failed, Err(ArchiveError::Store(error)) if error == "NoSuchBucket"));
    let without = read(&[s3()], &options(2), None, &Unwatched);
    assert!(matches!(without, Err(ArchiveError::Store(error)) if error.contains("s3://logs/AWSLogs/")));
}
