//! A directory with the shipped policies in it, and the command run there.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A directory to run the command in.
pub struct Place {
    dir: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// With a copy of the shipped policies in `policies/`, whose entries do not run out while this test is in use.
    pub fn new() -> Self {
        let place = Self { dir: TempDir::new().unwrap() };
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        for name in ["allowlist.toml", "rules.cedar", "inventory.toml", "sluicegate.cedarschema", "tests/default.toml"]
        {
            let text = fs::read_to_string(shipped.join(name)).unwrap();
            let text = text.replace("2027-06-30", "2099-12-31").replace("2027-07-01", "2100-01-01");
            place.write(&format!("policies/{name}"), text);
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Puts `new` where `old` stands in a file, which must hold it.
    pub fn replace(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{name} holds no {old:?}");
        self.write(name, text.replacen(old, new, 1));
    }

    /// Puts `text` at the end of a file.
    pub fn append(&self, name: &str, text: &str) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        self.write(name, before + text);
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[], b"")
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SLUICEGATE") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.dir.path()).envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A command that does not read its input closes it, which is no failure of the test.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let run = Run {
            code: output.status.code().expect("the command ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        assert!(!run.stderr.contains("panicked"), "{arguments:?}: {}", run.stderr);
        run
    }

    /// `explain --format json` of one file with this content.
    pub fn explain(&self, content: impl AsRef<[u8]>) -> Run {
        self.write("input", content);
        self.run(&["explain", "--format", "json", "input"])
    }

    /// The one line that `explain` prints for a record.
    pub fn explain_one(&self, record: &Value) -> Value {
        let run = self.explain(record.to_string());
        assert_eq!(run.code, 0, "{run:?}");
        let lines = run.lines();
        assert_eq!(lines.len(), 1, "{run:?}");
        lines.into_iter().next().unwrap()
    }
}

impl Run {
    /// The JSON lines of standard output.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// What the lines are about: a record's id, or `! position: error`.
    pub fn told(&self) -> Vec<String> {
        let about = |line: &Value| match line["error"].as_str() {
            Some(error) => format!("! {}: {error}", line["position"].as_str().unwrap()),
            None => line["event_id"].as_str().unwrap().to_owned(),
        };
        self.lines().iter().map(about).collect()
    }

    /// Asserts how it ended.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}
