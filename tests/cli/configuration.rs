//! `sluicegate.toml` and the environment: what is wrong is named, and a secret is never repeated.

use crate::harness::{Place, Run};

const FILE: &str = "sluicegate.toml";

fn check(text: &str, environment: &[(&str, &str)]) -> Run {
    let place = Place::new();
    place.write(FILE, text);
    place.run_with(&["check"], environment, b"")
}

#[test]
fn what_is_wrong_is_named() {
    for (text, named) in [
        ("mod = \"enforce\"", &["mod", FILE][..]),
        ("mode = \"enforced\"", &["mode", "enforced", "observe", "enforce"]),
        ("mode = true", &["mode"]),
        ("[polices]\ndir = \"policies\"", &["polices"]),
        ("[policy]\ndirectory = \"policies\"", &["policy", "directory"]),
        ("[intake]\nqueue = \"x\"", &["intake", "queue"]),
        ("[intake]\nin_flight = \"many\"", &["intake.in_flight", "many"]),
        ("[intake]\nin_flight = 0", &["intake.in_flight"]),
        ("[intake]\nreceivers = 0", &["intake.receivers"]),
        ("[journal]\nurl = \"postgres:x\"", &["[journal] url", "postgres:x", "sqlite:PATH"]),
        ("[journal]\nurl = \"sqlite:\"", &["[journal] url", "sqlite:PATH"]),
        ("[containment]\nverify_timeout = \"soon\"", &["containment.verify_timeout", "soon", "2m"]),
        ("[containment]\nverify_timeout = \"-2m\"", &["containment.verify_timeout"]),
        ("[containment]\nmax_calls_per_second = 0", &["containment.max_calls_per_second"]),
        ("[sweep]\nevery = \"-10m\"", &["sweep.every", "-10m", "off"]),
        ("[sweep]\nevery = \"never\"", &["sweep.every", "never", "30s", "off"]),
        ("[sweep]\nevery = 0", &["sweep.every"]),
        ("[http]\nlisten = \"everywhere\"", &["http.listen"]),
        ("[restriction]\nmode = \"caps\"", &["restriction.mode", "caps", "cap"]),
        ("[approval]\nremind_after = [\"30 parsecs\"]", &["approval.remind_after", "30 parsecs"]),
        ("mode = ", &[FILE]),
        ("[slack]\n", &["slack", "channel"]),
        ("[slack]\nchannel = \"C1\"\n", &["[slack] bot_token", "env:NAME"]),
        ("[slack]\nchannel = \"C1\"\nbot_token = \"env:B\"\n", &["[slack] app_token", "env:NAME"]),
        ("[slack]\nchannel = \"C1\"\ndigest_at = \"8 o'clock\"\n", &["slack.digest_at", "08:30"]),
        (
            "[slack]\nchannel = \"C1\"\nbot_token = \"env:B\"\napp_token = \"env:A\"\napi_url = \"http://slack.com/api\"",
            &["[slack] api_url", "https"],
        ),
    ] {
        let run = check(text, &[]).ends(2);
        assert_eq!(run.stdout, "", "{text}");
        for word in named {
            assert!(run.stderr.contains(word), "{text}: {word:?} is not in {}", run.stderr);
        }
    }
}

#[test]
fn a_bare_secret_is_refused_and_not_repeated() {
    let secret = "xoxb-1234-SECRETSECRET";
    for (section, key) in
        [("slack", "app_token"), ("slack", "bot_token"), ("slack", "signing_secret"), ("accounts", "external_id")]
    {
        let needed = if section == "slack" { "channel = \"C1\"" } else { "role_name = \"r\"" };
        for value in [format!("\"{secret}\""), format!("[\"{secret}\"]"), format!("{{ x = \"{secret}\" }}")] {
            let run = check(&format!("[{section}]\n{needed}\n{key} = {value}\n"), &[]).ends(2);
            assert!(!run.stderr.contains("SECRETSECRET") && !run.stdout.contains("SECRETSECRET"), "{}", run.stderr);
            assert!(run.stderr.contains(&format!("{section}.{key}")), "{}", run.stderr);
        }
        let run = check(&format!("[{section}]\n{needed}\n{key} = \"{secret}\"\n"), &[]).ends(2);
        assert!(run.stderr.contains("env:NAME, file:PATH or secretsmanager:ID"), "{}", run.stderr);
        let variable = format!("SLUICEGATE__{}__{}", section.to_uppercase(), key.to_uppercase());
        let run = check(&format!("[{section}]\n{needed}\n"), &[(variable.as_str(), secret)]).ends(2);
        assert!(!run.stderr.contains("SECRETSECRET"), "{}", run.stderr);
        assert!(run.stderr.contains("never the secret itself"), "{}", run.stderr);
        let others = ["app_token", "bot_token"].iter().filter(|other| section == "slack" && **other != key);
        let others: Vec<String> = others.map(|other| format!("{other} = \"env:OTHER\"\n")).collect();
        let others = others.concat();
        check(&format!("[{section}]\n{needed}\n{key} = \"env:TOKEN\"\n{others}"), &[]).ends(0);
    }
    // A line that does not parse may be the one with the secret in it.
    let run = check(&format!("[slack]\nchannel = \"C1\"\nbot_token = \"{secret}\n"), &[]).ends(2);
    assert!(!run.stderr.contains("SECRETSECRET"), "{}", run.stderr);
}

#[test]
fn the_environment_overrides_the_file() {
    let place = Place::new();
    place.write(FILE, "[policy]\ndir = \"nowhere\"\n");
    place.run(&["check"]).ends(2);
    let run = place.run_with(&["check"], &[("SLUICEGATE__POLICY__DIR", "policies")], b"").ends(0);
    assert!(run.stdout.contains("policies is good"), "{}", run.stdout);
    for (name, value, named) in [
        ("SLUICEGATE__MODE", "enforced", "enforced"),
        ("SLUICEGATE__POLICY__DIRR", "x", "dirr"),
        ("SLUICEGATE__NOSUCH__KEY", "x", "nosuch"),
        ("SLUICEGATE__HTTP__LISTEN", "nowhere", "nowhere"),
        ("SLUICEGATE__CONTAINMENT__VERIFY_TIMEOUT", "soon", "soon"),
    ] {
        let run = Place::new().run_with(&["check"], &[(name, value)], b"").ends(2);
        assert!(run.stderr.contains(named), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("SLUICEGATE__"), "it says that the environment says so: {}", run.stderr);
    }
    let numbers = [("SLUICEGATE__CONTAINMENT__MAX_CALLS_PER_SECOND", "3"), ("SLUICEGATE__MODE", "enforce")];
    Place::new().run_with(&["check"], &numbers, b"").ends(0);
}

#[test]
fn paths_are_relative_to_the_file() {
    let place = Place::new();
    place.write("etc/deep/s.toml", "[policy]\ndir = \"../../policies\"\n[journal]\nurl = \"sqlite:j.db\"\n");
    let run = place.run(&["--config", "etc/deep/s.toml", "check"]).ends(0);
    assert!(run.stdout.contains("policies is good"), "{}", run.stdout);
    let run = place.run(&["cases", "--config", "etc/deep/s.toml"]);
    assert_ne!(run.code, 0, "there is no journal yet, and looking makes none");
    assert!(run.stderr.contains("etc/deep/j.db"), "{}", run.stderr);
    assert!(!place.path("etc/deep/j.db").exists() && !place.path("j.db").exists());
    let absolute = place.path("policies").display().to_string();
    place.write("etc/a.toml", format!("[policy]\ndir = {absolute:?}\n"));
    place.run(&["--config", "etc/a.toml", "check"]).ends(0);
    place.run(&["check", "--config", "missing.toml"]).ends(2);
    place.run(&["check", "--config", "etc"]).ends(2);
}

#[test]
fn a_section_that_run_does_not_use_is_told() {
    let run = check("[accounts]\nrole_name = \"sluicegate-responder\"\n", &[]).ends(0);
    assert!(run.stderr.contains("[accounts] is used by scan; run acts in its own account only"), "{}", run.stderr);
    let run = check("[restriction]\nmode = \"session\"\nask_after = \"72h\"\n", &[]).ends(0);
    assert!(!run.stderr.contains("is used by scan"), "{}", run.stderr);
    let run = check("[restriction]\ncap_policy = \"AWSDenyAll\"\n", &[]).ends(2);
    assert!(run.stderr.contains("is no managed policy's ARN"), "{}", run.stderr);
}

#[test]
fn the_outside_world_ends_with_three() {
    let place = Place::new();
    for arguments in [&["cases"][..], &["case", "sg-aaaaaaaaaaaaaaaa"], &["audit", "verify"]] {
        let run = place.run(arguments).ends(3);
        assert!(run.stderr.contains("sluicegate.db does not exist"), "{arguments:?}: {}", run.stderr);
    }
    place.write("sluicegate.db", "this is no journal, and long enough to be read as one".repeat(100));
    assert!(place.run(&["cases"]).ends(3).stderr.contains("the journal cannot be used"));
    std::fs::remove_file(place.path("sluicegate.db")).unwrap();
    // A port that nobody listens on.
    let unreachable = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIANOBODY"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("SLUICEGATE__INTAKE__QUEUE_URL", "http://127.0.0.1:1/queue"),
    ];
    let run = place.run_with(&["run"], &unreachable, b"").ends(3);
    assert!(run.stderr.contains("sts:GetCallerIdentity"), "{}", run.stderr);
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let place = Place::new();
    place.write(FILE, "[slack]\nchannel = \"C1\"\nbot_token = \"file:token\"\napp_token = \"env:NO_SUCH_TOKEN\"\n");
    let environment = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("SLUICEGATE__INTAKE__QUEUE_URL", "http://127.0.0.1:1/queue"),
    ];
    let run = place.run_with(&["run"], &environment, b"").ends(2);
    assert!(run.stderr.contains("[slack] bot_token") && run.stderr.contains("token cannot be read"), "{}", run.stderr);
    place.write("token", "xapp-1-SECRETSECRET\n");
    let run = place.run_with(&["run"], &environment, b"").ends(2);
    assert!(run.stderr.contains("[slack] bot_token holds an app-level token"), "{}", run.stderr);
    assert!(!run.stderr.contains("SECRETSECRET"), "{}", run.stderr);
    place.write("token", "xoxb-SECRETSECRET\n");
    let run = place.run_with(&["run"], &environment, b"").ends(2);
    assert!(run.stderr.contains("[slack] app_token") && run.stderr.contains("NO_SUCH_TOKEN"), "{}", run.stderr);
}

#[test]
fn usage_ends_with_two() {
    let place = Place::new();
    for arguments in [
        &[][..],
        &["nonsense"],
        &["check", "--nonsense"],
        &["explain"],
        &["check", "--format", "xml"],
        &["case"],
        &["case", "not-an-id"],
        &["decide", "sg-aaaaaaaaaaaaaaaa"],
        &["run"],
    ] {
        let run = place.run(arguments).ends(2);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    place.run(&["--help"]).ends(0);
    assert!(place.run(&["--version"]).ends(0).stdout.starts_with("sluicegate "));
    assert!(place.run(&["run"]).stderr.contains("[intake] queue_url is not set"));
}
