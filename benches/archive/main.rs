//! How fast an archive is judged, beside decompressing it and doing nothing else.
//! `cargo bench --bench archive` makes an archive of 1 GB of JSON below the build directory, from a seed; an argument is
//! its size in MB. Everything runs in processes of its own, in turns, and the best of the runs counts: whatever else the
//! machine does meets all of them.
//!
//! What must be found is known, and what was found is compared with it. jq, and Python with json, orjson and `DuckDB`, are
//! given the same archive where the machine has them; `PYTHON` names the interpreter.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::panic,
    reason = "a benchmark"
)]

mod generator;

use generator::{Generator, Known};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use sluicegate::archive::{Options, Place, Unwatched, read};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const SEED: u64 = 20_240_509;
const RUNS: usize = 5;
/// How large log files are, in bytes of JSON: many small ones, some at the size that CloudTrail cuts them at.
const SIZES: [usize; 8] = [128_000, 128_000, 200_000, 200_000, 300_000, 500_000, 800_000, 1_000_000];

/// An archive, and what is in it.
struct Made {
    dir: PathBuf,
    files: usize,
    records: u64,
    raw: u64,
    packed: u64,
    known: BTreeSet<Known>,
}

/// What one run of a program said of itself.
struct Said {
    seconds: f64,
    /// CPU time of all threads: what else the machine does counts for little in it.
    cpu: f64,
    peak_mb: f64,
    records: u64,
    findings: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", dir, threads] => tell(Instant::now(), floor(Path::new(dir), threads.parse().unwrap())),
        ["ours", dir, threads] => tell(Instant::now(), ours(dir, threads.parse().unwrap(), false)),
        ["thorough", dir, threads] => tell(Instant::now(), ours(dir, threads.parse().unwrap(), true)),
        [] => compare(1000),
        [size] => compare(size.parse().unwrap()),
        _ => panic!("an argument is the size in MB"),
    }
}

fn compare(megabytes: usize) {
    let made = make(megabytes);
    println!(
        "{} files, {:.0} MB of JSON in {:.0} MB of gzip, {} records of {} bytes, {} findings\n",
        made.files,
        mb(made.raw),
        mb(made.packed),
        made.records,
        made.raw / made.records,
        made.known.len()
    );
    check(&made);
    let cores = Options::default().threads;
    println!(
        "{:34} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "seconds", "MB/s", "of floor", "CPU s", "of floor", "peak MB"
    );
    for threads in BTreeSet::from([1, cores]) {
        let mut best: [Option<Said>; 2] = [None, None];
        for _ in 0..RUNS {
            for (best, what) in best.iter_mut().zip(["floor", "ours"]) {
                let said = run_self(what, &made.dir, threads);
                if best.as_ref().is_none_or(|best| said.cpu < best.cpu) {
                    *best = Some(said);
                }
            }
        }
        let [floor, ours] = best.map(Option::unwrap);
        assert_eq!((ours.records, ours.findings), (made.records, made.known.len() as u64));
        row(&format!("libdeflate alone, threads: {threads}"), &made, &floor, &floor);
        row(&format!("sluicegate, threads: {threads}"), &made, &ours, &floor);
        if threads == cores {
            row("sluicegate, parsing everything", &made, &run_self("thorough", &made.dir, threads), &floor);
            others(&made, threads, &floor);
        }
    }
    large(&made, cores);
}

/// Finds everything that is known and nothing else.
fn check(made: &Made) {
    for thorough in [false, true] {
        let options = Options { thorough, ..Options::default() };
        let archive = read(&[Place::Local(made.dir.clone())], &options, None, &Unwatched).unwrap();
        assert_eq!((archive.totals.records, archive.totals.errors), (made.records, 0), "{:?}", archive.damaged.first());
        let found: BTreeSet<Known> = (archive.findings.map(Result::unwrap))
            .map(|finding| Known { account: finding.account, region: finding.region, event_id: finding.event.id })
            .collect();
        assert_eq!(found, made.known);
    }
    println!("every finding found, none invented, every record counted: split and parsed alike\n");
}

/// The archive as one file, packed and plain: what matters is the memory.
fn large(made: &Made, threads: usize) {
    let dir = made.dir.with_extension("large");
    fs::create_dir_all(&dir).unwrap();
    let (one, plain) = (dir.join("one.json.gz"), dir.join("one.json"));
    let paths = paths(&made.dir);
    let some = &paths[..paths.len() * 3 / 10];
    let (mut packed, mut text) = (Vec::new(), Vec::new());
    for path in some {
        let bytes = fs::read(path).unwrap();
        text.extend(unpack(&mut Decompressor::new(), &bytes));
        packed.extend(bytes);
    }
    // One member, as a log file has it.
    fs::write(&one, pack(&text)).unwrap();
    fs::write(&plain, &text).unwrap();
    let raw = text.len() as u64;
    drop((packed, text));
    println!();
    for (name, path) in [("one file, packed", &one), ("one file, plain", &plain)] {
        let said = run_self("ours", path, threads);
        println!(
            "{name:34} {:9.2} {:9.0} {:>9} {:9.2} {:>9} {:9.1}",
            said.seconds,
            mb(raw) / said.seconds,
            "",
            said.cpu,
            "",
            said.peak_mb
        );
    }
    fs::remove_dir_all(&dir).unwrap();
}

fn others(made: &Made, threads: usize, floor: &Said) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/archive/others.py");
    for kind in ["orjson", "json", "duckdb"] {
        let mut command = Command::new(&python);
        command.arg(&script).args([kind, &made.dir.display().to_string(), &threads.to_string()]);
        other(&format!("Python, {kind}"), command, made, floor);
    }
    let mut command = Command::new("sh");
    let count = r#"[.Records[] | (.Records[]? // .) | .detail // .] | [length, (map(select(.eventName | test("^(Create|Update)EventSourceMapping")) | select(has("errorCode") | not)) | length)] | @tsv"#;
    command.args([
        "-c",
        r#"find "$0" -name '*.gz' -print0 | xargs -0 zcat | jq -r "$1" | awk '{r+=$1; f+=$2} END {print r, f}'"#,
    ]);
    command.arg(&made.dir).arg(count);
    other("zcat and jq", command, made, floor);
}

fn other(name: &str, mut command: Command, made: &Made, floor: &Said) {
    let (begun, before) = (Instant::now(), cpu());
    let output = command.stderr(Stdio::null()).output();
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu() - before);
    let said = output.ok().filter(|output| output.status.success());
    let numbers: Vec<u64> = said
        .map(|output| {
            String::from_utf8_lossy(&output.stdout).split_whitespace().filter_map(|word| word.parse().ok()).collect()
        })
        .unwrap_or_default();
    let [records, findings] = numbers[..] else {
        println!("{name:34} not on this machine");
        return;
    };
    row(name, made, &Said { seconds, cpu, peak_mb: f64::NAN, records, findings }, floor);
    if (records, findings) != (made.records, made.known.len() as u64) {
        println!("{:34} it counts {records} records and {findings} findings", "");
    }
}

fn row(name: &str, made: &Made, said: &Said, floor: &Said) {
    let Said { seconds, cpu, peak_mb, .. } = said;
    println!(
        "{name:34} {seconds:9.2} {:9.0} {:9.3} {cpu:9.2} {:9.3} {peak_mb:9.1}",
        mb(made.raw) / seconds,
        floor.seconds / seconds,
        floor.cpu / cpu
    );
}

/// Runs a part of this program in a process of its own.
fn run_self(what: &str, dir: &Path, threads: usize) -> Said {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([what, &dir.display().to_string(), &threads.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let [seconds, cpu, peak_mb, records, findings] = words[..] else { panic!("{what} said {text:?}") };
    Said {
        seconds: seconds.parse().unwrap(),
        cpu: cpu.parse().unwrap(),
        peak_mb: peak_mb.parse().unwrap(),
        records: records.parse().unwrap(),
        findings: findings.parse().unwrap(),
    }
}

fn tell(begun: Instant, (records, findings): (u64, u64)) {
    let seconds = begun.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    println!("{seconds} {} {} {records} {findings}", cpu(), peak * 1024.0 / 1e6);
}

/// The CPU time of this process and of those that it waited for, in seconds.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name in brackets: user and system time, the same of children, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// What is held against: every file read and decompressed, its checksum verified, and nothing else.
fn floor(dir: &Path, threads: usize) -> (u64, u64) {
    let (paths, next) = (paths(dir), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut decompressor, mut packed, mut raw) = (Decompressor::new(), Vec::new(), Vec::new());
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    packed.clear();
                    std::io::Read::read_to_end(&mut fs::File::open(path).unwrap(), &mut packed).unwrap();
                    let size = size_of_text(&packed);
                    if raw.len() < size {
                        raw.resize(size, 0);
                    }
                    decompressor.gzip_decompress(&packed, &mut raw).unwrap();
                }
            });
        }
    });
    (0, 0)
}

fn ours(path: &str, threads: usize, thorough: bool) -> (u64, u64) {
    let archive = read(&[Place::Local(path.into())], &Options { threads, thorough }, None, &Unwatched).unwrap();
    assert_eq!(archive.totals.errors, 0, "{:?}", archive.damaged.first());
    let findings = archive.findings.inspect(|finding| assert!(finding.is_ok())).count();
    (archive.totals.records, findings as u64)
}

fn make(megabytes: usize) -> Made {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("archive-{megabytes}"));
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    let mut generator = Generator::new(SEED);
    let mut made = Made { dir, files: 0, records: 0, raw: 0, packed: 0, known: BTreeSet::new() };
    while made.raw < megabytes as u64 * 1_000_000 {
        let file = generator.file(SIZES[made.files % SIZES.len()]);
        let packed = pack(&file.raw);
        let path = made.dir.join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &packed).unwrap();
        made.files += 1;
        made.records += file.records;
        made.raw += file.raw.len() as u64;
        made.packed += packed.len() as u64;
        made.known.extend(file.known);
    }
    made
}

fn pack(raw: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(6).unwrap());
    let mut packed = vec![0; compressor.gzip_compress_bound(raw.len())];
    let size = compressor.gzip_compress(raw, &mut packed).unwrap();
    packed.truncate(size);
    packed
}

fn unpack(decompressor: &mut Decompressor, packed: &[u8]) -> Vec<u8> {
    let mut raw = vec![0; size_of_text(packed)];
    decompressor.gzip_decompress(packed, &mut raw).unwrap();
    raw
}

fn size_of_text(packed: &[u8]) -> usize {
    u32::from_le_bytes(packed[packed.len() - 4..].try_into().unwrap()) as usize
}

fn paths(dir: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { paths.push(path) }
        }
    }
    paths.sort();
    paths
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
